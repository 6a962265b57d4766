//! The certificate that `STARTTLS` shows.
//!
//! Mail is encrypted for whoever wants it, and hardly anybody checks for whom: a certificate of our own making will do.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate and its key.
#[derive(Clone)]
pub struct SmtpTls {
    pub(crate) acceptor: TlsAcceptor,
}

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SmtpTlsError {
    /// A file is not what it should be.
    #[error("the certificate or its key is not in PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// The two do not go together, or are of a kind that is not known.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// None could be made.
    #[error("a certificate cannot be made: {0}")]
    Making(#[from] rcgen::Error),
}

impl SmtpTls {
    /// A certificate for `host_name` that nobody vouches for; another one in each process.
    pub fn self_signed(host_name: &str) -> Result<Self, SmtpTlsError> {
        let made = rcgen::generate_simple_self_signed([host_name.to_owned()])?;
        Self::new(vec![made.cert.der().clone()], PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()))
    }

    /// The certificates and the key in these PEM files, the certificate of this host first.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, SmtpTlsError> {
        let certificates = CertificateDer::pem_slice_iter(certificates).collect::<Result<_, _>>()?;
        Self::new(certificates, PrivateKeyDer::from_pem_slice(key)?)
    }

    fn new(certificates: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, SmtpTlsError> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        Ok(Self { acceptor: Arc::new(config).into() })
    }
}

impl fmt::Debug for SmtpTls {
    /// The key is not for anybody to read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTls").finish_non_exhaustive()
    }
}
