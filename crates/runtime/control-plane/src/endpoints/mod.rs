//! The surface for peers (Dataspace Protocol) and for data planes (Data Plane Signaling).
