"""--start latest: a group begins at the end of its topic, and has begun from then on."""

from __future__ import annotations

import logging
from collections.abc import Collection

from confluent_kafka import Consumer, KafkaException, TopicPartition

from tsclust.json_log import note
from tsclust.stream.clients import PATIENCE


def begin_at_end(reader: Consumer, topic: str, gained: Collection[int]) -> dict[int, int]:
    """Commit where those partitions begin that have no offset yet, so that what comes from now on is ours, after a kill
    as well; those where that could not be done begin at the end, if a little later.

    A group that has never committed begins at the end of all partitions, those of other members too: they are to see
    that it has begun. Where it has begun, a partition without an offset was added since, and all of it is new.
    Returns partition -> its begin, of those `gained`.
    """
    try:
        offsets = reader.committed([TopicPartition(topic, part) for part in _all(reader, topic) | {*gained}], PATIENCE)
        new = [one for one in offsets if one.offset < 0]
        if began := len(new) < len(offsets):
            new = [one for one in new if one.partition in gained]
        for one in new:
            first, end = reader.get_watermark_offsets(one, PATIENCE)
            one.offset = first if began else end
        if new:
            reader.commit(offsets=new, asynchronous=False)
    except KafkaException as error:
        note("the brokers report an error", logging.WARNING, error=None, why=error.args[0].str())
        return {}
    return {one.partition: one.offset for one in new if one.partition in gained}


def _all(reader: Consumer, topic: str) -> set[int]:
    """Raises KafkaException."""
    about = reader.list_topics(topic, timeout=PATIENCE).topics[topic]
    if about.error is not None:
        raise KafkaException(about.error)
    return set(about.partitions)
