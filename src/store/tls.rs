//! TLS to the database: rustls, and always with the certificate and the host name verified. There is no weaker kind.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// A connector that trusts the certificates in this PEM file, or the system's when the name is empty.
pub(super) fn verifying(roots_file: &str) -> Result<MakeRustlsConnect, StoreError> {
    let roots = if roots_file.is_empty() {
        system_roots()?
    } else {
        roots_of(roots_file)?
    };
    connector(roots)
}

/// A connector for connections that never use TLS; it trusts nobody.
pub(super) fn unused() -> Result<MakeRustlsConnect, StoreError> {
    connector(RootCertStore::empty())
}

fn connector(roots: RootCertStore) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Roots {
            file: "rustls".to_owned(),
            source: Some(error.into()),
        })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn roots_of(file: &str) -> Result<RootCertStore, StoreError> {
    let unusable = |source| StoreError::Roots {
        file: file.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(Some(error.into())))? {
        let certificate = certificate.map_err(|error| unusable(Some(error.into())))?;
        roots.add(certificate).map_err(|error| unusable(Some(error.into())))?;
    }
    if roots.is_empty() {
        Err(unusable(None))
    } else {
        Ok(roots)
    }
}

fn system_roots() -> Result<RootCertStore, StoreError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some systems carry certificates that no library reads. One usable root is enough to try.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let source = found.errors.into_iter().next().map(|error| error.into());
    Err(StoreError::Roots {
        file: "the system's store (install ca-certificates)".to_owned(),
        source,
    })
}
