//! Pingpong under fire: 10,000 exchanges over 50 participant contexts, while both sides are killed before and after
//! commits, and PostgreSQL is restarted twice. Nothing is lost, nothing is doubled, and the order of each game is kept.
//!
//! The commits are chosen by a seed, which is printed: `SEED=17 cargo test -p heddle-pingpong --all-features --test fire`
//! repeats it.

#[path = "../support/mod.rs"]
mod support;

mod balancer;
mod plan;
mod process;
mod referee;

use std::{path::Path, sync::Arc, time::Duration};

use futures::future::join_all;
use heddle_clock::{Environment, SeededRng};
use heddle_pingpong::{server::UMPIRE_FILE, umpire::Umpire};
use heddle_store_postgres::testing::TestPostgres;
use heddle_store_sqlite::testing::count;
use support::free_ports;

use balancer::Balancer;
use plan::{Death, deaths, seed};
use process::{Life, Process};
use referee::Referee;

/// How long the last to die may take after the games are over.
const LAST_DEATH_WAIT: Duration = Duration::from_secs(120);

/// How many jobs are left; games that are over have none.
const JOBS_ON_POSTGRES: &str = "SELECT count(*) FROM heddle.job";
const JOBS_ON_SQLITE: &str = "SELECT count(*) FROM job";

#[expect(clippy::print_stdout, reason = "the test tells its seed, and where each server has died")]
fn tell(line: &str) {
    println!("{line}");
}

fn umpire(data_dir: &Path) -> Umpire {
    Umpire::read(&data_dir.join(UMPIRE_FILE), &Environment::system()).expect("the first start writes them")
}

/// Lets the processes of both sides play and die until all games are over; stops what is alive then.
async fn play(referee: &Referee, processes: &[Process], plans: &[Vec<Death>], first: Vec<Life>) {
    let lives =
        processes.iter().zip(plans).zip(first).map(|((process, plan), life)| process.live(life, plan));
    let mut lives = Box::pin(join_all(lives));
    let games = async {
        referee.begin_all().await;
        referee.watch_all().await;
    };
    let mut games = Box::pin(games);
    let early = tokio::select! {
        lives = &mut lives => Some(lives),
        () = &mut games => None,
    };
    let lives = match early {
        Some(lives) => {
            games.await;
            lives
        }
        None => tokio::time::timeout(LAST_DEATH_WAIT, lives).await.expect("all have died as foretold"),
    };
    join_all(lives.into_iter().map(Life::stop)).await;
}

/// Starts every process once more, without a death, and has the referee look at everything.
async fn look(referee: &Referee, processes: &[Process]) {
    let mut lives = Vec::new();
    for process in processes {
        lives.push(process.start(None).await);
    }
    referee.look_at_all().await;
    join_all(lives.into_iter().map(Life::stop)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_either_side_dies_over_sqlite() {
    let seed = seed();
    tell(&format!("SEED={seed} on SQLite"));
    let folder = tempfile::tempdir().expect("a folder");
    let sides = ["ping", "pong"].map(|name| folder.path().join(name));
    let [ping, pong] = free_ports::<2>();
    let processes = [
        Process::new(&sides[0], "process", ping, (ping, pong), None),
        Process::new(&sides[1], "process", pong, (pong, ping), None),
    ];
    let plans = deaths(&SeededRng::new(seed), [6, 6], 600..1_500);
    let first = vec![processes[0].start(plans[0].first()).await, processes[1].start(plans[1].first()).await];
    let referee = Referee::new([umpire(&sides[0]), umpire(&sides[1])], Vec::new());
    play(&referee, &processes, &plans, first).await;
    look(&referee, &processes).await;
    for side in &sides {
        assert_eq!(count(&side.join("pingpong.db"), JOBS_ON_SQLITE), 0, "no job is left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_replicas_die_and_postgresql_restarts() {
    let seed = seed();
    tell(&format!("SEED={seed} on PostgreSQL, two replicas a side"));
    let folder = tempfile::tempdir().expect("a folder");
    let sides = ["ping", "pong"].map(|name| folder.path().join(name));
    let postgres = tokio::task::spawn_blocking(|| Arc::new(TestPostgres::start())).await.expect("it starts");
    let databases = [postgres.url(), postgres.url()];
    let [ping, pong, ping_1, ping_2, pong_1, pong_2] = free_ports::<6>();
    let _balancer = Balancer::start(folder.path(), &[(ping, [ping_1, ping_2]), (pong, [pong_1, pong_2])]);
    let (ping_url, pong_url) = (Some(databases[0].as_str()), Some(databases[1].as_str()));
    let processes = [
        Process::new(&sides[0], "first", ping_1, (ping, pong), ping_url),
        Process::new(&sides[0], "second", ping_2, (ping, pong), ping_url),
        Process::new(&sides[1], "first", pong_1, (pong, ping), pong_url),
        Process::new(&sides[1], "second", pong_2, (pong, ping), pong_url),
    ];
    let plans = deaths(&SeededRng::new(seed), [3, 3, 3, 3], 300..800);
    let mut first = Vec::new();
    for (process, plan) in processes.iter().zip(&plans) {
        first.push(process.start(plan.first()).await);
    }
    let restarts = vec![restart(&postgres), restart(&postgres)];
    let referee = Referee::new([umpire(&sides[0]), umpire(&sides[1])], restarts);
    play(&referee, &processes, &plans, first).await;
    look(&referee, &processes).await;
    for database in &databases {
        assert_eq!(postgres.administer(database, JOBS_ON_POSTGRES), "0", "no job is left");
    }
}

/// Restarts the database when the referee says so.
fn restart(postgres: &Arc<TestPostgres>) -> referee::Blow {
    let postgres = postgres.clone();
    Box::new(move || {
        tell("PostgreSQL is restarted");
        postgres.restart();
    })
}
