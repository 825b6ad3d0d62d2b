//! Role × scopes × route, as a table that a person can check: `golden/routes.txt`.
//!
//! After a change that is meant, write it anew with `UPDATE_GOLDEN=1` and read the difference.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use futures::{StreamExt, stream};
use heddle_web::testing::Route;
use serde_json::{Value, json};

use crate::{
    administration::scopes,
    asking::ask,
    surfaces::{FALLBACK, PUBLIC, PUBLIC_VERSION, Surface, canonical, of},
    world::House,
};

const LEGEND: &str = "\
Who may call which route: the answers of a running server, route by route as its router has them.

Each cell: with one's own context or tenant in the path, then with another's; one letter where the path names neither.
  +  allowed        -  403        .  401
For planes that signal, allowed means that what is not theirs is as if it did not exist. GET stands for HEAD too. An API that answers under several versions or names is listed under the first; the test
demands the same answers of all.

  nobody            no token
  admin             role admin, the coarse scopes …:write
  admin:read        role admin, the coarse scopes …:read
  provisioner       role provisioner, the coarse scopes …:write
  participant       role participant of one's own context, the coarse scopes …:write
  p:read            the same, the scopes …:read
  p:admin           the same, the scopes …:admin, which a participant cannot use
  own:write         no role, sub = one's own context, the scopes …:write
  own:admin         no role, sub = one's own context, the scopes …:admin: an operator
  own:assets        no role, sub = one's own context, the fine scope management-api:assets:write alone
  tenant            no role, restricted to one's own tenant, the scopes …:write
";

/// The columns: a name, and the claims.
fn columns() -> Vec<(&'static str, Option<Value>)> {
    let of = |role: &str, level: &str| Some(json!({"role": role, "scope": scopes(level)}));
    let own = |scope: String| Some(json!({"scope": scope}));
    vec![
        ("nobody", None),
        ("admin", of("admin", "write")),
        ("admin:read", of("admin", "read")),
        ("provisioner", of("provisioner", "write")),
        ("participant", of("participant", "write")),
        ("p:read", of("participant", "read")),
        ("p:admin", of("participant", "admin")),
        ("own:write", own(scopes("write"))),
        ("own:admin", own(scopes("admin"))),
        ("own:assets", own("management-api:assets:write".to_owned())),
        ("tenant", Some(json!({"tenant_id": "", "scope": scopes("write")}))),
    ]
}

/// A route, with the names that its requests use: nobody else's, so that what one request ends no other misses.
struct Row<'a> {
    number: usize,
    route: &'a Route,
}

impl Row<'_> {
    fn own(&self, column: usize) -> String {
        format!("own-{}-{column}", self.number)
    }

    fn path(&self, of: &str) -> String {
        let segments = self.route.template.split('/').map(|segment| match segment {
            "{context}" | "{tenant}" => of,
            segment if segment.starts_with('{') => "never-there",
            segment => segment,
        });
        segments.collect::<Vec<_>>().join("/")
    }

    async fn cell(&self, house: &House, (column, claims): (usize, Option<&Value>)) -> String {
        let own = self.own(column);
        let token = claims.map(|claims| {
            let mut claims = claims.clone();
            if claims.get("tenant_id").is_some() {
                claims["tenant_id"] = json!(own);
            } else if claims["role"] == "participant" {
                claims["participant_context_id"] = json!(own);
            } else if claims.get("role").is_none() {
                claims["sub"] = json!(own);
            }
            house.idp.token(&claims)
        });
        let named = ["{context}", "{tenant}"].iter().any(|name| self.route.template.contains(name));
        let of = if named { vec![own.clone(), format!("other-{own}")] } else { vec![own] };
        let mut cell = String::new();
        for of in of {
            let url = format!("{}{}", house.running.url(), self.path(&of));
            cell.push(match ask(&self.route.method, &url, token.as_deref(), None).await.status {
                401 => '.',
                403 => '-',
                _ => '+',
            });
        }
        cell
    }

    async fn cells(&self, house: &House) -> Vec<String> {
        let mut cells = Vec::new();
        for (column, (_, claims)) in columns().iter().enumerate() {
            cells.push(self.cell(house, (column, claims.as_ref())).await);
        }
        cells
    }
}

/// Canonical route to its cells; complains where an alias answers otherwise.
async fn table(house: &House, routes: &[Route]) -> BTreeMap<(String, String), Vec<String>> {
    let judged = |route: &&Route| matches!(of(route), Surface::Administration | Surface::Signaling);
    let rows = routes.iter().filter(judged).enumerate().map(|(number, route)| Row { number, route });
    let cells = rows.map(|row| async move { (row.route, row.cells(house).await) });
    let found: Vec<(&Route, Vec<String>)> = stream::iter(cells).buffer_unordered(12).collect().await;
    let mut table = BTreeMap::new();
    for (route, cells) in found {
        let method = if route.method == "HEAD" { "GET" } else { route.method.as_str() };
        let key = (canonical(&route.template), method.to_owned());
        let first = table.entry(key).or_insert_with(|| cells.clone());
        assert_eq!(
            *first, cells,
            "{} {} is not answered like what it stands for",
            route.method, route.template
        );
    }
    table
}

fn others(routes: &[Route]) -> String {
    let mut text = String::new();
    for (surface, title) in [
        (
            Surface::Dataspace,
            "With a self-issued token and the credentials of the dataspace; nothing else is told apart",
        ),
        (Surface::Claims, "With a self-issued token"),
        (Surface::Data, "With the token of the flow"),
    ] {
        writeln!(text, "\n{title}:").expect("a String takes text");
        let ours = routes.iter().filter(|route| of(route) == surface && route.method != "HEAD");
        let ours: BTreeSet<_> = ours.map(|route| (canonical(&route.template), &route.method)).collect();
        for (template, method) in ours {
            writeln!(text, "{method:6} {template}").expect("a String takes text");
        }
    }
    text += "\nOpen to everybody, with the reason:\n";
    for (template, reason) in PUBLIC.iter().chain([&PUBLIC_VERSION, &FALLBACK]) {
        writeln!(text, "{template}  —  {reason}").expect("a String takes text");
    }
    text
}

/// Compares the table of a new server with the golden file.
pub async fn compare(house: &House) {
    let routes = house.routes();
    let table = table(house, &routes).await;
    let mut text = LEGEND.to_owned();
    write!(text, "\n{:95}", "").expect("a String takes text");
    for (name, _) in columns() {
        write!(text, "{name:>12}").expect("a String takes text");
    }
    for ((template, method), cells) in &table {
        write!(text, "\n{:95}", format!("{method:6} {template}")).expect("a String takes text");
        for cell in cells {
            write!(text, "{cell:>12}").expect("a String takes text");
        }
    }
    text += "\n";
    text += &others(&routes);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/isolation/golden/routes.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    for (line, (found, known)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, known, "line {}: the table is another one; see the head of golden.rs", line + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "the table is longer or shorter");
}
