//! How the protocol surfaces say no: each protocol has an error object of its own (DSP 2025-1 §"HTTPS binding").

use axum::response::{IntoResponse, Response};
use heddle_dsp::wire::{CatalogError, ContractNegotiationError, TransferError};
use heddle_web::{ErrorBody, Kind, Rejection, reply};
use http::{HeaderValue, StatusCode, header};

use crate::negotiation::ProtocolError;

/// The catalog surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatalogSurface;

/// The negotiation surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct NegotiationSurface;

/// The transfer surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct TransferSurface;

/// The status of a refusal on a protocol surface: who is not authenticated is answered as if there were nothing.
fn status_of(rejection: &Rejection) -> StatusCode {
    match rejection.kind {
        Kind::Unauthorized | Kind::Forbidden => StatusCode::NOT_FOUND,
        _ => rejection.status(),
    }
}

impl ErrorBody for CatalogSurface {
    fn respond(rejection: Rejection) -> Response {
        let status = status_of(&rejection);
        reply(status, &CatalogError::new(status.as_str(), &rejection.message))
    }
}

impl ErrorBody for NegotiationSurface {
    fn respond(rejection: Rejection) -> Response {
        let status = status_of(&rejection);
        reply(status, &ContractNegotiationError::new("", "", status.as_str(), &rejection.message))
    }
}

impl ErrorBody for TransferSurface {
    fn respond(rejection: Rejection) -> Response {
        let status = status_of(&rejection);
        reply(status, &TransferError::new("", "", status.as_str(), &rejection.message))
    }
}

/// The process ids that an error is about, as far as the request tells them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pids {
    pub(super) provider: String,
    pub(super) consumer: String,
}

/// A refusal with the process ids that the error object must carry.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
    retry_after: bool,
}

impl Refusal {
    /// 400 with a reason.
    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: reason.into(), retry_after: false }
    }

    /// 404: the same for everything that is not there, or not for this peer.
    pub(super) fn not_found() -> Self {
        Self { status: StatusCode::NOT_FOUND, reason: "Not found.".to_owned(), retry_after: false }
    }

    /// As the error object of catalogs.
    pub(super) fn catalog(self) -> Response {
        self.finish(reply(self.status, &CatalogError::new(self.status.as_str(), &self.reason)))
    }

    /// As the error object of negotiations.
    pub(super) fn negotiation(self, pids: &Pids) -> Response {
        let code = self.status.as_str().to_owned();
        let body = ContractNegotiationError::new(&pids.provider, &pids.consumer, &code, &self.reason);
        self.finish(reply(self.status, &body))
    }

    /// As the error object of transfers.
    pub(super) fn transfer(self, pids: &Pids) -> Response {
        let code = self.status.as_str().to_owned();
        let body = TransferError::new(&pids.provider, &pids.consumer, &code, &self.reason);
        self.finish(reply(self.status, &body))
    }

    fn finish(&self, mut response: Response) -> Response {
        if self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.into_response()
    }
}

impl From<ProtocolError> for Refusal {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::NotFound => Self::not_found(),
            ProtocolError::Refused(reason) => Self::malformed(reason),
            ProtocolError::Busy(reason) => {
                Self { status: StatusCode::SERVICE_UNAVAILABLE, reason, retry_after: true }
            }
            ProtocolError::Store(error) => {
                let rejection = Rejection::from(error);
                let retry_after = rejection.retry_after.is_some();
                Self { status: rejection.status(), reason: rejection.message, retry_after }
            }
        }
    }
}

impl From<heddle_store::StoreError> for Refusal {
    fn from(error: heddle_store::StoreError) -> Self {
        ProtocolError::Store(error).into()
    }
}

impl From<heddle_dsp::wire::Malformed> for Refusal {
    fn from(malformed: heddle_dsp::wire::Malformed) -> Self {
        Self::malformed(malformed.to_string())
    }
}
