//! heddle-jsonld: not written yet.
