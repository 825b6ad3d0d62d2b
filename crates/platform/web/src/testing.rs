//! The routes of a router, read from the router itself: so a test that goes through all of them misses none.
//!
//! axum shows its routes only in its `Debug` output. Whatever of that cannot be understood is an error: a list that
//! silently lacked a route would be worse than none.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;

/// What a router answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes {
    /// Every route, by template.
    pub routes: BTreeSet<Route>,
    /// Whether paths that no route fits go to something of their own.
    pub has_fallback: bool,
}

/// One method at one template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Such as `/api/dsp/{context}/{profile}/catalog/request`.
    pub template: String,
    /// Such as `GET`; `*` for a route that takes every method.
    pub method: String,
}

/// The list of a router's routes cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the routes cannot be read from the router, whose Debug output is not what it was: {0}")]
pub struct UnreadableRoutes(String);

/// Reads the routes of `router`, those of nested and merged routers included.
///
/// # Errors
/// When axum writes them otherwise than expected, when a template has no endpoint or the other way round, and for
/// services that are routed to, whose methods nobody can tell.
pub fn routes(router: &Router) -> Result<Routes, UnreadableRoutes> {
    read(&format!("{router:?}"))
}

fn read(text: &str) -> Result<Routes, UnreadableRoutes> {
    let unreadable = |what: &str| UnreadableRoutes(what.to_owned());
    let text = text
        .strip_prefix("Router { path_router: PathRouter { routes: {")
        .ok_or_else(|| unreadable("it does not begin with the routes"))?;
    let (own, rest) =
        text.split_once(" fallback_router: PathRouter {").ok_or_else(|| unreadable("no fallback router"))?;
    let (endpoints, templates) =
        own.split_once("node: Node { paths: {").ok_or_else(|| unreadable("no templates"))?;
    let has_fallback =
        match (rest.contains("default_fallback: true"), rest.contains("default_fallback: false")) {
            (true, false) => false,
            (false, true) => true,
            _ => return Err(unreadable("it does not say whether there is a fallback")),
        };
    let templates = templates_of(templates)?;
    let mut endpoints = endpoints_of(endpoints)?;
    let mut routes = BTreeSet::new();
    for (id, template) in templates {
        let methods = endpoints.remove(id).ok_or_else(|| unreadable(&format!("{template} leads nowhere")))?;
        routes.extend(methods.into_iter().map(|method| Route { template: template.to_owned(), method }));
    }
    match endpoints.keys().next() {
        Some(id) => Err(unreadable(&format!("endpoint {id} has no template"))),
        None => Ok(Routes { routes, has_fallback }),
    }
}

/// Id to template.
fn templates_of(text: &str) -> Result<BTreeMap<&str, &str>, UnreadableRoutes> {
    let entry = |piece| entry(piece).and_then(|(id, rest)| Some((id, rest.split('"').nth(1)?)));
    let read = |piece: &'_ str| UnreadableRoutes(format!("no template in '{}'", beginning(piece)));
    text.split("RouteId(").skip(1).map(|piece| entry(piece).ok_or_else(|| read(piece))).collect()
}

/// Id to methods.
fn endpoints_of(text: &str) -> Result<BTreeMap<&str, Vec<String>>, UnreadableRoutes> {
    let methods = |piece| {
        let (id, rest): (&str, &str) = entry(piece)?;
        let (_, allowed) = rest.strip_prefix("MethodRouter(")?.split_once("allow_header: ")?;
        if allowed.starts_with("Skip") {
            return Some((id, vec!["*".to_owned()]));
        }
        let (methods, _) = allowed.strip_prefix("Bytes(b\"")?.split_once('"')?;
        Some((id, methods.split(',').map(str::to_owned).collect()))
    };
    let unreadable = |piece: &str| UnreadableRoutes(format!("no methods in '{}'", beginning(piece)));
    text.split("RouteId(").skip(1).map(|piece| methods(piece).ok_or_else(|| unreadable(piece))).collect()
}

/// Of `7): something` the id and the rest.
fn entry(piece: &str) -> Option<(&str, &str)> {
    piece.split_once("): ").filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn beginning(piece: &str) -> String {
    piece.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use axum::routing::{any, delete, get, post};
    use heddle_clock::Environment;

    use super::*;
    use crate::{Plain, Surface};

    async fn nothing() {}

    fn shown(router: &Router) -> Vec<String> {
        let routes = routes(router).expect("they are readable").routes;
        routes.into_iter().map(|Route { template, method }| format!("{method} {template}")).collect()
    }

    #[test]
    fn every_route_is_listed_however_it_was_added() {
        let inner = Router::new()
            .route("/", get(nothing).delete(nothing))
            .route("/{id}/replay", post(nothing))
            .route("/{id}", get(nothing))
            .route("/{id}", delete(nothing));
        let surface = Surface::<Plain>::new("test", Environment::system()).finish(inner);
        let router = Router::new()
            .nest("/api/{context}", surface)
            .merge(Router::new().route("/any/{*path}", any(nothing)));
        assert_eq!(
            shown(&router),
            [
                "* /any/{*path}",
                "DELETE /api/{context}",
                "GET /api/{context}",
                "HEAD /api/{context}",
                "DELETE /api/{context}/{id}",
                "GET /api/{context}/{id}",
                "HEAD /api/{context}/{id}",
                "POST /api/{context}/{id}/replay",
            ]
        );
        assert!(!routes(&router).expect("readable").has_fallback);
        assert!(routes(&router.fallback(nothing)).expect("readable").has_fallback);
    }

    #[test]
    fn what_cannot_be_listed_is_an_error_and_not_left_out() {
        let service = Router::<()>::new().route_service("/hidden", get(nothing));
        let error = routes(&service).expect_err("nobody knows its methods").to_string();
        assert!(error.contains("no methods in"), "{error}");
        assert!(read("Router { something: else }").is_err());
    }
}
