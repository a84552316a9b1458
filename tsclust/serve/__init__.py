"""The door for browsers and other programs: models and their scores, jobs, and the pages about them, over HTTP."""
