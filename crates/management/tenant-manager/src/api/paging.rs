//! Pages of a list: `offset` and `limit`, and where to go from here (`Link`, RFC 8288; `X-Total-Count`).

use http::{HeaderMap, HeaderName, HeaderValue, header::LINK};
use serde::Deserialize;

/// Most elements of one page; also the page of a client that names no limit.
pub(super) const PAGE_MAX: usize = 10_000;

static TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// The query parameters. A negative number, or none at all, is refused when they are read.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) offset: usize,
    /// 0 is as many as possible.
    #[serde(default)]
    limit: usize,
}

impl Page {
    /// Elements of the page, at most.
    pub(super) fn limit(self) -> usize {
        if self.limit == 0 { PAGE_MAX } else { self.limit.min(PAGE_MAX) }
    }

    /// The headers of this page of `path`, out of `total` elements.
    pub(super) fn headers(self, path: &str, total: usize) -> HeaderMap {
        let links = self.links(path, total);
        let mut headers = HeaderMap::from_iter([(TOTAL.clone(), HeaderValue::from(total))]);
        if let Ok(links) = HeaderValue::try_from(links) {
            headers.insert(LINK, links);
        }
        headers
    }

    fn links(self, path: &str, total: usize) -> String {
        let (offset, limit) = (self.offset, self.limit());
        let last = total.saturating_sub(1) / limit * limit;
        let next = offset.saturating_add(limit);
        let links = [
            ("self", Some(offset)),
            ("first", Some(0)),
            ("prev", (offset > 0).then(|| offset.saturating_sub(limit).min(last))),
            ("next", (next < total).then_some(next)),
            ("last", Some(last)),
        ];
        let one = |(relation, at): (&str, Option<usize>)| {
            Some(format!("<{path}?offset={}&limit={limit}>; rel=\"{relation}\"", at?))
        };
        links.into_iter().filter_map(one).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relation and offset of each link.
    fn links(offset: usize, limit: usize, total: usize) -> Vec<String> {
        let links = Page { offset, limit }.links("/t", total);
        let short = |link: &str| {
            let (target, relation) = link.split_once("; rel=").expect("a relation");
            let offset = target.split(['=', '&']).nth(1).expect("an offset");
            format!("{} {offset}", relation.trim_matches('"'))
        };
        links.split(", ").map(short).collect()
    }

    #[test]
    fn links_lead_through_all_pages_and_not_beyond() {
        assert_eq!(links(0, 2, 5), ["self 0", "first 0", "next 2", "last 4"]);
        assert_eq!(links(2, 2, 5), ["self 2", "first 0", "prev 0", "next 4", "last 4"]);
        assert_eq!(links(4, 2, 5), ["self 4", "first 0", "prev 2", "last 4"]);
        assert_eq!(links(0, 2, 4), ["self 0", "first 0", "next 2", "last 2"]);
        assert_eq!(links(2, 2, 4), ["self 2", "first 0", "prev 0", "last 2"], "a full page may be the last");
    }

    #[test]
    fn odd_places_have_links_too() {
        assert_eq!(links(0, 0, 0), ["self 0", "first 0", "last 0"]);
        assert_eq!(links(1, 2, 5), ["self 1", "first 0", "prev 0", "next 3", "last 4"]);
        assert_eq!(links(100, 2, 5), ["self 100", "first 0", "prev 4", "last 4"]);
        assert_eq!(links(usize::MAX, 2, 5)[2..], ["prev 4", "last 4"]);
    }

    #[test]
    fn no_limit_is_the_largest_page() {
        assert_eq!(Page { offset: 0, limit: 0 }.limit(), PAGE_MAX);
        assert_eq!(Page { offset: 0, limit: usize::MAX }.limit(), PAGE_MAX);
        let link = Page { offset: 0, limit: 7 }.links("/t", 1);
        assert_eq!(
            link,
            "</t?offset=0&limit=7>; rel=\"self\", </t?offset=0&limit=7>; rel=\"first\", \
             </t?offset=0&limit=7>; rel=\"last\""
        );
    }
}
