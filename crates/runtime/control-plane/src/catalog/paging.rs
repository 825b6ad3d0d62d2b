//! Which part of a catalog a request wants, and where the parts beside it begin. Assets stand in the order of their
//! ids, so that a page neither repeats nor skips one when others come and go meanwhile.

use heddle_dsp::catalog::Position;
use heddle_ids::AssetId;

use super::Filter;

/// Assets on a page, unless the filter asks for fewer or more.
const PAGE_ASSETS: usize = 100;
/// Most assets on a page.
const PAGE_ASSETS_MAX: usize = 500;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Where the page begins or ends; from the beginning otherwise.
    pub(crate) position: Option<Position>,
    /// What the peer wants to see.
    pub(crate) filter: Filter,
}

impl Wanted {
    fn size(&self) -> usize {
        self.filter.limit.unwrap_or(PAGE_ASSETS).min(PAGE_ASSETS_MAX)
    }
}

/// A page in the making: takes items in the order of their assets and keeps those of the page.
pub(super) struct Pager<T> {
    position: Option<Position>,
    size: usize,
    skip: usize,
    kept: Vec<(AssetId, T)>,
    /// Something that was offered stands before the page.
    before: bool,
    /// Something stands behind it.
    behind: bool,
}

/// A page, and where those beside it are.
pub(super) struct Paged<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<Position>,
    pub(super) previous: Option<Position>,
}

impl<T> Pager<T> {
    pub(super) fn new(wanted: &Wanted) -> Self {
        // A position says where the page is; an offset says it only for the first page.
        let skip = if wanted.position.is_some() { 0 } else { wanted.filter.offset };
        let position = wanted.position.clone();
        Self { position, size: wanted.size(), skip, kept: Vec::new(), before: false, behind: false }
    }

    /// Whether nothing more can change the page.
    pub(super) fn is_full(&self) -> bool {
        self.behind
    }

    /// The next item in order.
    pub(super) fn offer(&mut self, asset: &AssetId, item: impl FnOnce() -> T) {
        match &self.position {
            Some(Position::After(start)) if asset <= start => self.before = true,
            Some(Position::Before(end)) if asset >= end => self.behind = true,
            Some(Position::Before(_)) => {
                if self.kept.len() == self.size {
                    self.kept.remove(0);
                    self.before = true;
                }
                self.kept.push((asset.clone(), item()));
            }
            _ if self.skip > 0 => {
                self.skip -= 1;
                self.before = true;
            }
            _ if self.kept.len() == self.size => self.behind = true,
            _ => self.kept.push((asset.clone(), item())),
        }
    }

    pub(super) fn finish(self) -> Paged<T> {
        let edge = |item: Option<&(AssetId, T)>| item.map(|(asset, _)| asset.clone());
        let (first, last) = (edge(self.kept.first()), edge(self.kept.last()));
        Paged {
            next: last.filter(|_| self.behind).map(Position::After),
            previous: first.filter(|_| self.before).map(Position::Before),
            items: self.kept.into_iter().map(|(_, item)| item).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> AssetId {
        AssetId::parse(format!("a{number:04}")).expect("legal")
    }

    fn page(wanted: &Wanted, count: usize) -> Paged<usize> {
        let mut pager = Pager::new(wanted);
        for number in 0..count {
            if !pager.is_full() {
                pager.offer(&id(number), || number);
            }
        }
        pager.finish()
    }

    #[test]
    fn forward_and_back_again_every_asset_comes_once() {
        let mut wanted = Wanted::default();
        let mut seen = Vec::new();
        let mut pages = Vec::new();
        loop {
            let paged = page(&wanted, 250);
            seen.extend(paged.items.clone());
            pages.push(paged.items);
            match paged.next {
                Some(next) => wanted.position = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, (0..250).collect::<Vec<_>>());
        let mut back = vec![pages[2].clone()];
        wanted.position = page(&wanted, 250).previous;
        while wanted.position.is_some() {
            let paged = page(&wanted, 250);
            back.push(paged.items);
            wanted.position = paged.previous;
        }
        pages.reverse();
        assert_eq!(back, pages);
    }

    #[test]
    fn an_offset_counts_and_a_single_page_has_no_neighbours() {
        let filter = Filter::read(&[serde_json::json!({"offset": 2, "limit": 2})]).expect("supported");
        let paged = page(&Wanted { position: None, filter }, 5);
        assert_eq!(paged.items, [2, 3]);
        assert_eq!(paged.next, Some(Position::After(id(3))));
        assert_eq!(paged.previous, Some(Position::Before(id(2))));
        let paged = page(&Wanted::default(), PAGE_ASSETS);
        assert_eq!((paged.items.len(), paged.next, paged.previous), (PAGE_ASSETS, None, None));
    }
}
