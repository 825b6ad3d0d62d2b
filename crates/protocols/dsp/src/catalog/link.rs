//! The `Link` header (RFC 8288; DSP 2025-1 §"Pagination" names its predecessor RFC 5988).

use std::fmt;

use super::ContinuationToken;

/// Where a link of a catalog leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The page after this one.
    Next,
    /// The page before this one. Written `previous`; `prev` is read too.
    Previous,
}

/// One link of a page of a catalog. `Display` writes the value of a `Link` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub relation: Relation,
    /// The URL, absolute or relative to the request's.
    pub target: String,
}

impl Link {
    /// Most links that are read from one header.
    pub const LINKS_MAX: usize = 16;

    /// The link from a page of the catalog at `catalog_request_url` (its `…/catalog/request`) to the page of
    /// `token`.
    #[must_use]
    pub fn new(relation: Relation, catalog_request_url: &str, token: &ContinuationToken) -> Self {
        Self { relation, target: format!("{catalog_request_url}?continuationToken={}", token.as_str()) }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = match self.relation {
            Relation::Next => "next",
            Relation::Previous => "previous",
        };
        // A target is a URL; what would end it early is written as a URL writes it.
        write!(f, "<{}>; rel=\"{relation}\"", self.target.replace('>', "%3E"))
    }
}

/// Reads one `Link` header, which may hold several links. Links of other relations and what is not a link are
/// left out.
#[must_use]
pub fn links(header: &str) -> Vec<Link> {
    let mut links = Vec::new();
    let mut rest = header;
    while links.len() < Link::LINKS_MAX
        && let Some((_, after)) = rest.split_once('<')
        && let Some((target, parameters)) = after.split_once('>')
    {
        let (parameters, next) = split_parameters(parameters);
        rest = next;
        links.extend(relations(parameters).map(|relation| Link { relation, target: target.to_owned() }));
    }
    links.truncate(Link::LINKS_MAX);
    links
}

/// The parameters of one link and what follows its comma; a comma inside quotes belongs to the parameters.
fn split_parameters(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (index, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => return (&text[..index], &text[index..]),
            _ => {}
        }
    }
    (text, "")
}

fn relations(parameters: &str) -> impl Iterator<Item = Relation> {
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
    });
    value.unwrap_or_default().split_ascii_whitespace().filter_map(|relation| match relation {
        _ if relation.eq_ignore_ascii_case("next") => Some(Relation::Next),
        _ if relation.eq_ignore_ascii_case("previous") || relation.eq_ignore_ascii_case("prev") => {
            Some(Relation::Previous)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use heddle_ids::AssetId;

    use super::*;
    use crate::catalog::Position;

    #[test]
    fn what_is_written_is_read() {
        let token = ContinuationToken::new(&Position::After(AssetId::parse("a").expect("legal")));
        let link = Link::new(Relation::Next, "https://p.example/dsp/catalog/request", &token);
        let header = link.to_string();
        assert!(header.starts_with("<https://p.example/dsp/catalog/request?continuationToken="), "{header}");
        assert!(header.ends_with(">; rel=\"next\""), "{header}");
        assert_eq!(links(&header), [link]);
    }

    #[test]
    fn several_links_in_one_header() {
        let header = r#"<https://a/?x=1,2>; title="a, b"; rel="next",<https://a/?y>;rel=prev, <https://a/z>; rel="last""#;
        let expected = [
            Link { relation: Relation::Next, target: "https://a/?x=1,2".to_owned() },
            Link { relation: Relation::Previous, target: "https://a/?y".to_owned() },
        ];
        assert_eq!(links(header), expected);
    }

    #[test]
    fn rubbish_is_no_link() {
        for header in
            ["", "next", "<https://a", "<https://a>", "<https://a>; rel", "<https://a>; rel=\"first\"", "é<"]
        {
            assert_eq!(links(header), [], "{header}");
        }
        assert_eq!(links(&"<a>; rel=next,".repeat(100)).len(), Link::LINKS_MAX);
    }
}
