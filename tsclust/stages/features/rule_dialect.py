"""SQL as rules have it: a dialect of sqlglot that reads what Polars reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import Dialect, TokenType, exp, parser, tokens


class Moment(exp.Expression):
    """DATE '2024-01-01': to Polars not the same as a text that is cast."""

    arg_types: ClassVar[dict[str, bool]] = {"this": True, "kind": True}


class Plus(exp.Unary):
    """+a: sqlglot drops it, and for Polars it is 0 + a."""


_UNARY = parser.Parser.UNARY_PARSERS


def _moment(kind: str) -> Callable[..., exp.Expr]:
    return lambda self, this, _: self.expression(Moment(this=this, kind=kind))


class RuleSql(Dialect):
    """SQL as Polars reads it: functions keep the names they were written with."""

    class Tokenizer(tokens.Tokenizer):
        """Polars quotes names in both ways."""

        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ['"', "`"]
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            # To sqlglot DIV is an operator, REAL a FLOAT, of 64 bits here, INT8 one of 8 bits, of 8 bytes here.
            **{word: kind for word, kind in tokens.Tokenizer.KEYWORDS.items() if word not in ("DIV", "REAL", "FLOAT4")},
            **{"//": TokenType.DIV, "INT8": TokenType.BIGINT, "~": TokenType.RLIKE, "^@": TokenType.CARET_AT},
        }

    class Parser(parser.Parser):
        """No function but these has a syntax of its own."""

        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: parser.Parser.FUNCTION_PARSERS[name] for name in ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "TRIM")
        }
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            "CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }
        COLUMN_OPERATORS: ClassVar[dict[TokenType, Callable[..., Any] | None]] = {
            operator: parser.Parser.COLUMN_OPERATORS[operator] for operator in (TokenType.DOT, TokenType.DCOLON)
        }
        RANGE_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
            **parser.Parser.RANGE_PARSERS,
            TokenType.CARET_AT: parser.binary_range_parser(exp.StartsWith),
        }
        TYPE_LITERAL_PARSERS: ClassVar[dict[exp.DType, Callable[..., Any]]] = {
            exp.DType.DATE: _moment("DATE"), exp.DType.TIME: _moment("TIME"),
            exp.DType.TIMESTAMP: _moment("TIMESTAMP"), exp.DType.DATETIME: _moment("TIMESTAMP"),
        }  # fmt: skip
        UNARY_PARSERS: ClassVar[dict[TokenType, Callable[..., Any]]] = {
            TokenType.DASH: _UNARY[TokenType.DASH],
            TokenType.PLUS: lambda self: self.expression(Plus(this=_UNARY[TokenType.PLUS](self))),
            # To Polars, NOT a IN (1) and a NOT IN (1) are two expressions: what follows the former stands in Paren.
            TokenType.NOT: lambda self: exp.Not(this=exp.Paren(this=_UNARY[TokenType.NOT](self).this)),
        }
