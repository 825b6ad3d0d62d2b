//! Many statements, one round trip.

use std::{borrow::Cow, future::poll_fn, pin::Pin, task::Poll};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{
    Error, Row, Statement,
    types::{ToSql, Type},
};

/// A statement with its values.
pub(crate) struct Call {
    pub(crate) sql: Cow<'static, str>,
    pub(crate) values: Vec<Value>,
    /// The types of the values, for a statement that is planned for them each time and is not kept: what filters ask
    /// has too many forms.
    types: Option<Vec<Type>>,
}

/// A value on its way to the database.
pub(crate) type Value = Box<dyn ToSql + Sync + Send>;

impl Call {
    pub(crate) fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values, types: None }
    }

    /// A statement that is not kept.
    pub(crate) fn once(sql: String, values: Vec<(Value, Type)>) -> Self {
        let (values, types) = values.into_iter().unzip();
        Self { sql: sql.into(), values, types: Some(types) }
    }
}

/// Boxes values: `values![owner, 5_i64]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as $crate::pipeline::Value),*] };
}
pub(crate) use values;

/// Sends `begin`, the calls and `end` (either may be empty) without waiting in between; the result of every call, in order. The first
/// error is the telling one: after it, all others say that the transaction is broken off.
///
/// Once polled, it happens: nothing is left half-sent when the caller goes away.
pub(crate) async fn run(
    client: &ClientWrapper,
    begin: &str,
    calls: &[Call],
    end: &str,
) -> Result<Vec<Vec<Row>>, PipelineError> {
    let mut statements = Vec::with_capacity(calls.len());
    for call in calls {
        // After its first use on a connection it is there already.
        statements.push(match call.types {
            Some(_) => None,
            None => Some(client.prepare_cached(&call.sql).await.map_err(PipelineError::elsewhere)?),
        });
    }
    let mut steps: Vec<Step<'_>> = Vec::with_capacity(calls.len() + 2);
    steps.push(batch(client, begin));
    for (call, statement) in calls.iter().zip(&statements) {
        steps.push(query(client, statement.as_ref(), call));
    }
    steps.push(batch(client, end));
    let mut rows = Vec::with_capacity(calls.len());
    let last = calls.len() + 1;
    for (at, result) in in_order(steps).await.into_iter().enumerate() {
        match result {
            Ok(found) if at > 0 && at < last => rows.push(found),
            Ok(_) => {}
            Err(error) => {
                let call = (at > 0 && at < last).then(|| at - 1);
                return Err(PipelineError { call, error });
            }
        }
    }
    Ok(rows)
}

/// The first error of a pipeline.
#[derive(Debug)]
pub(crate) struct PipelineError {
    /// Which call failed; `None` when it was none of them.
    pub(crate) call: Option<usize>,
    pub(crate) error: Error,
}

impl PipelineError {
    fn elsewhere(error: Error) -> Self {
        Self { call: None, error }
    }
}

type Step<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

fn batch<'a>(client: &'a ClientWrapper, sql: &'a str) -> Step<'a> {
    Box::pin(async move {
        if sql.is_empty() {
            return Ok(Vec::new());
        }
        client.batch_execute(sql).await.map(|()| Vec::new())
    })
}

fn query<'a>(client: &'a ClientWrapper, statement: Option<&'a Statement>, call: &'a Call) -> Step<'a> {
    Box::pin(async move {
        let values = call.values.iter().map(|value| value.as_ref() as &(dyn ToSql + Sync));
        match statement {
            Some(statement) => client.query(statement, &values.collect::<Vec<_>>()).await,
            None => {
                let types = call.types.iter().flatten().cloned();
                client.query_typed(&call.sql, &values.zip(types).collect::<Vec<_>>()).await
            }
        }
    })
}

/// Polls all steps once in their order, which sends them in this order, and then waits for one after the other:
/// answers come in the order of the questions.
async fn in_order<T>(mut steps: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut results: Vec<Option<T>> = steps.iter().map(|_| None).collect();
    let (mut sent, mut next) = (false, 0);
    poll_fn(move |context| {
        if !sent {
            sent = true;
            for (step, result) in steps.iter_mut().zip(&mut results) {
                if let Poll::Ready(value) = step.as_mut().poll(context) {
                    *result = Some(value);
                }
            }
        }
        while next < steps.len() {
            if results[next].is_none() {
                match steps[next].as_mut().poll(context) {
                    Poll::Ready(value) => results[next] = Some(value),
                    Poll::Pending => return Poll::Pending,
                }
            }
            next += 1;
        }
        Poll::Ready(results.drain(..).flatten().collect())
    })
    .await
}
