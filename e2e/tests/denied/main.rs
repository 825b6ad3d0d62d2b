//! Who is denied, and what each side learns of it: without a credential, with a revoked one, with that of another
//! dataspace. The peer is answered as if there were nothing; the provider reads why.

mod alike;
mod another;
mod denials;
mod outsider;
mod revoked;
mod two_dataspaces;
