"""Sidecars drafted by looking at a raw file, for a person to correct.

`draft(path, catalogue)` gives the text of a sidecar; `write_draft` puts it beside the file.
"""

from zhiji_etl.drafting.drafts import draft, write_draft

__all__ = ["draft", "write_draft"]
