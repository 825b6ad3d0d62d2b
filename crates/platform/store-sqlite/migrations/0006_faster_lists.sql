-- With what the comparison of a text and a sort need besides: they no longer fetch the row for it.
DROP INDEX property_text;
CREATE INDEX property_text ON property (owner, kind, path, text, id, number, item);
