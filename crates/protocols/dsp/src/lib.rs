//! heddle-dsp: not written yet.
