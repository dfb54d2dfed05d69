//! Names, by a real name server in a namespace.

use super::super::testing::{Answer, NameServer, RESOLV_CONF, SERVER, World, addresses};
use super::*;
use std::time::Duration;

async fn resolve(world: &World, name: &str) -> Result<Vec<String>, NameError> {
    let found = world.network.resolve(&Asked::parse(name)?).await?;
    Ok(found.iter().map(ToString::to_string).collect())
}

fn absent() -> Answer {
    Answer::Code(3)
}

#[test]
fn addresses_pass_and_what_is_no_name_is_refused() {
    for (text, ip) in [("10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("[fd00::1]", "fd00::1")] {
        assert_eq!(Asked::parse(text), Ok(Asked::Address(ip.parse().expect("ip"))), "{text}");
    }
    let long = format!("{}.x", vec!["a".repeat(60); 5].join("."));
    let label = "a".repeat(64);
    for wrong in
        ["", ".", "a b", "a..b", "a.1", "127.1", "0x7f.0x1", "10.0.0.256", "[1.2.3.4]", "a/b", "é\0", &long, &label]
    {
        assert_eq!(Asked::parse(wrong), Err(NameError::Invalid), "{wrong:?}");
    }
    assert_eq!(
        Asked::parse("Bücher.Example.").map(|asked| asked.name().map(str::to_owned)),
        Ok(Some("xn--bcher-kva.example".into()))
    );
    assert_eq!(Asked::parse("x_y.Test"), Ok(Asked::Name { name: "x_y.test".into(), rooted: false }));
    assert_eq!(Asked::parse("a.LocalHost."), Ok(Asked::Loopback("a.localhost".into())));
}

#[tokio::test]
async fn search_domains_and_ndots_are_as_for_glibc() {
    let world = World::open();
    let server = NameServer::start(&world, SERVER, |name, _| match name {
        "web.b.test" => addresses(&["192.0.2.1"]),
        "x.y.z" => addresses(&["192.0.2.2", "2001:db8::2"]),
        _ => absent(),
    });
    assert_eq!(resolve(&world, "web").await, Ok(vec!["192.0.2.1".to_owned()]));
    assert_eq!(server.asked(), ["web.a.test A", "web.a.test AAAA", "web.b.test A", "web.b.test AAAA"]);
    assert_eq!(resolve(&world, "x.y.z").await, Ok(vec!["192.0.2.2".to_owned(), "2001:db8::2".to_owned()]));
    assert_eq!(server.asked(), ["x.y.z A", "x.y.z AAAA"]);
    assert_eq!(resolve(&world, "no.").await, Err(NameError::Unresolvable(ResponseCode::NXDomain)));
    assert_eq!(server.asked(), ["no A", "no AAAA"]);
    assert_eq!(resolve(&world, "x.y.z").await, Ok(vec!["192.0.2.2".to_owned(), "2001:db8::2".to_owned()]));
    assert_eq!(server.asked(), [] as [&str; 0], "the answer was not kept");
}

#[tokio::test]
async fn cut_answers_are_fetched_over_tcp() {
    let world = World::open();
    let many: Vec<IpAddr> = (1..200).map(|last| Ipv4Addr::new(192, 0, 2, last).into()).collect();
    let server = NameServer::start(&world, SERVER, move |_, v6| if v6 { absent() } else { Answer::Long(many.clone()) });
    assert_eq!(resolve(&world, "many.test.").await.map(|all| all.len()), Ok(199));
    assert!(server.asked().contains(&"many.test A TCP".to_owned()));
}

#[tokio::test]
async fn failures_are_told_apart() {
    let world = World::open();
    let server = NameServer::start(&world, SERVER, |name, v6| match name {
        "fails.test" => Answer::Code(2),
        "refused.test" => Answer::Code(5),
        "empty.test" => addresses(&[]),
        "half.test" if v6 => Answer::Code(2),
        "half.test" => addresses(&["192.0.2.9"]),
        _ => Answer::Nothing,
    });
    assert_eq!(resolve(&world, "fails.test.").await, Err(NameError::Temporary(Some(ResponseCode::ServFail))));
    assert_eq!(resolve(&world, "refused.test.").await, Err(NameError::Permanent(ResponseCode::Refused)));
    assert_eq!(resolve(&world, "empty.test.").await, Err(NameError::Unresolvable(ResponseCode::NoError)));
    assert_eq!(resolve(&world, "half.test.").await, Ok(vec!["192.0.2.9".to_owned()]));
    let started = std::time::Instant::now();
    server.asked();
    assert_eq!(resolve(&world, "silent").await, Err(NameError::Temporary(None)));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(!server.asked().iter().any(|asked| asked.starts_with("silent.b.test")));
}

#[tokio::test]
async fn the_next_server_is_asked_where_one_fails() {
    let world = World::open();
    world.write("etc/resolv.conf", "nameserver 10.53.0.1\nnameserver 127.0.0.5\noptions timeout:1\n");
    let _fails = NameServer::start(&world, SERVER, |_, _| Answer::Code(2));
    let _works = NameServer::start(&world, "127.0.0.5", |_, _| addresses(&["192.0.2.3", "2001:db8::3"]));
    // There is a way to IPv4 only.
    assert_eq!(resolve(&world, "x.test").await, Ok(vec!["192.0.2.3".to_owned(), "2001:db8::3".to_owned()]));
}

#[tokio::test]
async fn a_link_local_server_is_asked_on_its_interface() {
    let world = World::open();
    world.write("etc/resolv.conf", "nameserver fe80::53%none\nnameserver fe80::53%lo\noptions timeout:1\n");
    let many: Vec<IpAddr> = (1..200).map(|last| Ipv4Addr::new(192, 0, 2, last).into()).collect();
    let _server = NameServer::start(&world, "fe80::53%1", move |name, v6| match name {
        "many.test" if !v6 => Answer::Long(many.clone()),
        _ => addresses(&["192.0.2.3"]),
    });
    assert_eq!(resolve(&world, "x.test").await, Ok(vec!["192.0.2.3".to_owned()]));
    assert_eq!(resolve(&world, "many.test").await.map(|all| all.len()), Ok(199));
}

#[tokio::test]
async fn hosts_come_first_and_are_read_again_when_they_change() {
    let world = World::open();
    world.write("etc/hosts", "192.0.2.7 Pod pod.test\n::1 six four\n127.0.0.1 six four\n");
    assert_eq!(resolve(&world, "pod").await, Ok(vec!["192.0.2.7".to_owned()]));
    assert_eq!(resolve(&world, "POD.test.").await, Ok(vec!["192.0.2.7".to_owned()]));
    assert_eq!(resolve(&world, "six").await, Ok(vec!["::1".to_owned(), "127.0.0.1".to_owned()]));
    world.write("etc/hosts", "192.0.2.8 pod # new\n");
    assert_eq!(resolve(&world, "pod").await, Ok(vec!["192.0.2.8".to_owned()]));
}

#[tokio::test]
async fn localhost_is_never_asked_for() {
    let world = World::open();
    let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
    for name in ["localhost", "Localhost.", "a.localhost"] {
        assert_eq!(resolve(&world, name).await, Ok(vec!["127.0.0.1".to_owned(), "::1".to_owned()]));
    }
    assert_eq!(server.asked(), [] as [&str; 0]);
}

#[tokio::test]
async fn without_a_configuration_the_guests_own_loopback_is_asked_and_never_the_nodes() {
    let node = tokio::net::UdpSocket::bind("127.0.0.1:53").await;
    let world = World::new(r#"{"name": "p"}"#, &[], &[]);
    // Nobody listens there yet, which the kernel tells at once.
    let started = std::time::Instant::now();
    assert_eq!(resolve(&world, "x.test").await, Err(NameError::Temporary(None)));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let server = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.1"]));
    assert_eq!(resolve(&world, "x.test").await, Ok(vec!["192.0.2.1".to_owned()]));
    assert!(!server.asked().is_empty());
    if let Ok(node) = node {
        assert!(node.try_recv(&mut [0; 512]).is_err(), "the node was asked");
    }
}

#[tokio::test]
async fn names_open_addresses_only_by_servers_that_the_guest_cannot_play() {
    let policy = r#"{"name": "p", "allow": ["good.test:443"]}"#;
    let files = [("etc/resolv.conf", RESOLV_CONF), ("etc/hosts", "192.0.2.66 good.test.hosts\n")];
    let world = World::new(policy, &[], &files);
    let address = |text: &str| SocketAddr::new(text.parse().expect("ip"), 443);
    let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
    let _own = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.2"]));
    assert!(!world.network.may_reach("test", address("192.0.2.1")));
    // The guest's own files cannot change who is asked, nor what is open.
    world.write("etc/resolv.conf", "nameserver 127.0.0.1\n");
    assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.1".to_owned()]));
    assert!(!server.asked().is_empty());
    assert!(world.network.may_reach("test", address("192.0.2.1")));
    world.write("etc/hosts", "192.0.2.3 good.test\n");
    assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.3".to_owned()]));
    assert!(!world.network.may_reach("test", address("192.0.2.3")));

    let world = World::new(policy, &[], &[]);
    let _own = NameServer::start(&world, "127.0.0.1", |_, _| addresses(&["192.0.2.2"]));
    assert_eq!(resolve(&world, "good.test").await, Ok(vec!["192.0.2.2".to_owned()]));
    assert!(!world.network.may_reach("test", address("192.0.2.2")));
}

#[tokio::test]
async fn a_denied_name_server_is_not_asked() {
    let policy = r#"{"name": "p", "deny": ["10.53.0.0/16"]}"#;
    let world = World::new(policy, &[], &[("etc/resolv.conf", RESOLV_CONF)]);
    let server = NameServer::start(&world, SERVER, |_, _| addresses(&["192.0.2.1"]));
    assert_eq!(resolve(&world, "x.test.").await, Err(NameError::Permanent(ResponseCode::Refused)));
    assert_eq!((server.asked().len(), world.network.refused()), (0, 1));
}

#[tokio::test]
async fn nothing_is_resolved_after_the_end() {
    let world = World::open();
    let _server = NameServer::start(&world, SERVER, |_, _| Answer::Nothing);
    let network = world.network.clone();
    let waiting = tokio::spawn(network.tasks.until_end({
        let network = network.clone();
        async move { network.resolve(&Asked::parse("x.test.").expect("a name")).await }
    }));
    tokio::time::sleep(Duration::from_millis(100)).await;
    network.close();
    assert_eq!(
        tokio::time::timeout(Duration::from_millis(100), waiting).await.expect("it ended").expect("no panic"),
        None
    );
    assert_eq!(resolve(&world, "y.test.").await, Err(NameError::Temporary(None)));
}
