//! The catalog of a participant, as one verified peer may see it.
//!
//! Every contract definition whose access policy the peer fulfils offers the assets that it selects, on the terms of
//! its contract policy. Access policies are evaluated once per request, whatever they are used for. What cannot be
//! offered (a policy that is missing or cannot be an offer, an asset that no data plane serves) is left out.
//!
//! `offering`: who sees what. `paging`: which part of it is asked for. `filter`: conditions of the peer, on what
//! is public. `show`: the requests themselves.

mod filter;
mod offering;
mod paging;
mod show;

pub(crate) use filter::Filter;
pub(crate) use paging::Wanted;
pub(crate) use show::CatalogPage;
