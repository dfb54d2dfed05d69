//! Which certificates outgoing TLS trusts.

use super::tasks::Tasks;
use crate::view::View;
use ring::digest::{Context, SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use tokio::sync::OnceCell;

/// Where distributions keep their bundle: Debian and Alpine, Red Hat, Alpine and BSD.
const USUAL: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/// Bytes of a bundle; Debian's has 220 KiB.
const LARGEST: u64 = 8 << 20;
/// Files of a directory that are looked at.
const MOST_FILES: usize = 4096;
/// Servers whose sessions a guest may resume.
const SESSIONS: usize = 32;

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
/// Parsed bundles by their digest: pods of one image share what takes 150 KiB for each otherwise.
static BUNDLES: LazyLock<Mutex<HashMap<Digest, Weak<RootCertStore>>>> = LazyLock::new(Mutex::default);

type Digest = [u8; SHA256_OUTPUT_LEN];

/// What one guest trusts, read when it first needs it.
pub(super) struct Trust {
    named: Named,
    view: Option<Arc<View>>,
    config: OnceCell<Arc<ClientConfig>>,
}

/// What the guest's environment names, as OpenSSL understands it.
#[derive(Clone)]
struct Named {
    /// `SSL_CERT_FILE`: in place of the usual bundles.
    file: Option<String>,
    /// `SSL_CERT_DIR`: beside the bundle.
    directories: Vec<String>,
}

impl Named {
    fn of(env: &[String]) -> Self {
        let value = |name: &str| {
            let values = env.iter().filter_map(|variable| variable.strip_prefix(name)?.strip_prefix('='));
            values.filter(|value| !value.is_empty()).map(str::to_owned).next()
        };
        let directories = value("SSL_CERT_DIR").unwrap_or_default();
        let directories = directories.split(':').filter(|path| !path.is_empty()).map(str::to_owned).collect();
        Self { file: value("SSL_CERT_FILE"), directories }
    }
}

impl Trust {
    /// `env` holds "NAME=VALUE".
    pub fn new(env: &[String], view: Option<Arc<View>>) -> Self {
        Self { named: Named::of(env), view, config: OnceCell::new() }
    }

    /// The settings of TLS; a failure says what is wrong with the certificates, and is not remembered.
    pub async fn config(&self, tasks: &Tasks) -> Result<Arc<ClientConfig>, String> {
        let read = || async {
            let (named, view) = (self.named.clone(), self.view.clone());
            let roots = tasks.blocking(move || roots(&named, view.as_deref())).await;
            Ok(Arc::new(settings(roots.ok_or("the guest has ended")??)?))
        };
        self.config.get_or_try_init(read).await.cloned()
    }
}

/// TLS 1.2 and 1.3, and HTTP/2 where the server chooses it.
fn settings(roots: Arc<RootCertStore>) -> Result<ClientConfig, String> {
    let mut config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(config)
}

fn roots(named: &Named, view: Option<&View>) -> Result<Arc<RootCertStore>, String> {
    let main = match &named.file {
        Some(path) => {
            let wrong = |what: &str| {
                format!("SSL_CERT_FILE {path:?}: {what}; expected a file of PEM certificates in the guest")
            };
            let view = view.ok_or_else(|| wrong("the guest has no files"))?;
            let text = bytes(view, path).map_err(|error| wrong(&error))?;
            let store = bundle(&text).ok_or_else(|| wrong("it holds no certificate"))?;
            Some((text, store))
        }
        None => view.and_then(|view| USUAL.iter().find_map(|path| usual(view, path))),
    };
    if named.directories.is_empty() {
        let store = main.map(|(_, store)| store).or_else(node);
        return store.ok_or_else(|| "neither the guest nor the node has certificates to trust".to_owned());
    }
    let directories = view.into_iter().flat_map(|view| named.directories.iter().map(move |path| directory(view, path)));
    // One that is not there is usual where several are named.
    let texts: Vec<_> = main.into_iter().map(|(text, _)| text).chain(directories.filter_map(Result::ok)).collect();
    // A line's end between two: the last line of a file may have none.
    bundle(&texts.join(&b'\n')).ok_or_else(|| {
        format!(
            "SSL_CERT_DIR {:?}: no certificate is there; expected directories of PEM certificates in the guest, or leave it out",
            named.directories.join(":")
        )
    })
}

/// A usual bundle with its certificates, if it is there.
fn usual(view: &View, path: &str) -> Option<(Vec<u8>, Arc<RootCertStore>)> {
    let text = bytes(view, path).ok()?;
    let store = bundle(&text)?;
    Some((text, store))
}

/// The files of a directory, one after the other, up to about [`LARGEST`] bytes; what is no certificate is left out later.
fn directory(view: &View, path: &str) -> crate::failure::Result<Vec<u8>> {
    let mut names = view.list(path, MOST_FILES)?;
    names.sort_unstable();
    let mut all = Vec::new();
    for name in names {
        // Links to certificates that are gone, and subdirectories, are usual.
        let Ok(text) = bytes(view, &format!("{path}/{name}")) else { continue };
        all.extend(text);
        all.push(b'\n');
        if all.len() as u64 > LARGEST {
            break;
        }
    }
    Ok(all)
}

fn bytes(view: &View, path: &str) -> Result<Vec<u8>, String> {
    let file = view.open(path).map_err(|failure| failure.text)?;
    let mut bytes = Vec::new();
    let read = File::from(file).take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot read it: {error}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    Ok(bytes)
}

/// The certificates of a bundle; `None` where there is none.
fn bundle(bytes: &[u8]) -> Option<Arc<RootCertStore>> {
    let parse = || parsed(CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok));
    known(digest(&SHA256, bytes).as_ref(), parse)
}

/// What was parsed of the bundle with this digest, or what `parse` makes of it.
fn known(bundle: &[u8], parse: impl FnOnce() -> Option<Arc<RootCertStore>>) -> Option<Arc<RootCertStore>> {
    let mut key = Digest::default();
    key.copy_from_slice(bundle);
    let bundles = || BUNDLES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = bundles().get(&key).and_then(Weak::upgrade) {
        return Some(store);
    }
    let store = parse()?;
    let mut bundles = bundles();
    bundles.retain(|_, store| store.strong_count() > 0);
    bundles.insert(key, Arc::downgrade(&store));
    Some(store)
}

/// The node's own certificates, read anew for each guest: an operator may have changed them.
fn node() -> Option<Arc<RootCertStore>> {
    // Certificates that cannot be read are left out; without any, every handshake fails, and says why.
    let certificates = rustls_native_certs::load_native_certs().certs;
    let mut hash = Context::new(&SHA256);
    for certificate in &certificates {
        hash.update(certificate);
    }
    known(hash.finish().as_ref(), || parsed(certificates.into_iter()))
}

fn parsed(certificates: impl Iterator<Item = CertificateDer<'static>>) -> Option<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    (!store.is_empty()).then(|| Arc::new(store))
}
