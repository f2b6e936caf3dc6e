#include "banquet/online/redis/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include <cerrno>
#include <cstring>

#include "banquet/client/network/wait_ready.h"

namespace banquet::redis {
namespace {

// The newest of OpenSSL's errors of this thread, and forgets all.
std::string TakeReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "TLS failed" : reason;
  ERR_clear_error();
  return text;
}

bool IsAddress(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

Status BadFile(const char* parameter, const std::string& path) {
  return UserError("online_store.connection_string: {} cannot be used ({}): {}", parameter,
                   TakeReason(), path);
}

int GivePassword(char* buffer, int size, int /*for_writing*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<size_t>(size)) return 0;
  std::memcpy(buffer, text.data(), text.size());
  return static_cast<int>(text.size());
}

}  // namespace

TlsSession::~TlsSession() {
  SSL_free(session_);
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<TlsSession>> TlsSession::Open(const TlsSettings& settings,
                                                     const std::string& host, const Socket& socket,
                                                     std::chrono::steady_clock::time_point deadline,
                                                     const std::stop_token& stop,
                                                     const std::string& server) {
  std::unique_ptr<TlsSession> session(new TlsSession);
  BANQUET_RETURN_NOT_OK(session->Configure(settings, server));
  session->session_ = SSL_new(session->context_);
  if (session->session_ == nullptr || SSL_set_fd(session->session_, socket.get()) != 1) {
    return RemoteError({}, "{}: {}", server, TakeReason());
  }
  BANQUET_RETURN_NOT_OK(session->VerifyAs(settings, host));
  BANQUET_RETURN_NOT_OK(session->Handshake(socket, deadline, stop, server));
  return session;
}

Status TlsSession::Configure(const TlsSettings& settings, const std::string& server) {
  ERR_clear_error();
  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr) return RemoteError({}, "{}: {}", server, TakeReason());
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context_, settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!settings.ca_file.empty() &&
      SSL_CTX_load_verify_file(context_, settings.ca_file.c_str()) != 1) {
    return BadFile("ssl_ca_certs", settings.ca_file);
  }
  if (!settings.ca_path.empty() &&
      SSL_CTX_load_verify_dir(context_, settings.ca_path.c_str()) != 1) {
    return BadFile("ssl_ca_path", settings.ca_path);
  }
  if (settings.ca_file.empty() && settings.ca_path.empty()) {
    SSL_CTX_set_default_verify_paths(context_);
  }
  if (settings.certificate_file.empty()) return Status::OK();
  if (SSL_CTX_use_certificate_chain_file(context_, settings.certificate_file.c_str()) != 1) {
    return BadFile("ssl_certfile", settings.certificate_file);
  }
  // As Feast's client: the key may stand in the certificate's file.
  const std::string& key =
      settings.key_file.empty() ? settings.certificate_file : settings.key_file;
  std::string password = settings.key_password;
  SSL_CTX_set_default_passwd_cb(context_, GivePassword);
  SSL_CTX_set_default_passwd_cb_userdata(context_, &password);
  const bool is_usable = SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
  return is_usable ? Status::OK() : BadFile("ssl_keyfile", key);
}

Status TlsSession::VerifyAs(const TlsSettings& settings, const std::string& host) {
  const bool is_address = IsAddress(host);
  if (!is_address) SSL_set_tlsext_host_name(session_, host.c_str());
  if (!settings.verify || !settings.check_host_name) return Status::OK();
  X509_VERIFY_PARAM* const expected = SSL_get0_param(session_);
  const int is_set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str())
                                : X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
  return is_set == 1 ? Status::OK() : Bug("TLS takes no host name: {}", host);
}

Status TlsSession::Handshake(const Socket& socket, std::chrono::steady_clock::time_point deadline,
                             const std::stop_token& stop, const std::string& server) {
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(session_);
    if (result == 1) return Status::OK();
    const int error = SSL_get_error(session_, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      return HandshakeError(server);
    }
    const short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
    BANQUET_ASSIGN_OR_RETURN(const bool ready,
                             WaitReady(socket.get(), events, deadline, stop, server));
    if (!ready) {
      return RemoteError({.retryable = true},
                         "{} did not finish the TLS handshake (banquet.connect_timeout); does it "
                         "speak TLS at that port?",
                         server);
    }
  }
}

Status TlsSession::HandshakeError(const std::string& server) const {
  const long verified = SSL_get_verify_result(session_);
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  if (verified != X509_V_OK) {
    ERR_clear_error();
    return UserError(
        "{}: its TLS certificate is refused ({}); mend it, or the host name or ssl_ca_certs in "
        "connection_string",
        server, X509_verify_cert_error_string(verified));
  }
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST) {
    ERR_clear_error();
    return UserError(
        "{} does not speak TLS at that port; mend the port or ssl in connection_string", server);
  }
  if (reason == 0) {
    return RemoteError({.retryable = true}, "{} closed the connection in the TLS handshake",
                       server);
  }
  return RemoteError({.retryable = true}, "{}: TLS handshake: {}", server, TakeReason());
}

ssize_t TlsSession::Fail(int result) {
  const int error = SSL_get_error(session_, result);
  wants_write_ = error == SSL_ERROR_WANT_WRITE;
  switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      if (errno == 0) errno = ECONNRESET;
      return -1;
    default:
      break;
  }
  // A peer that ends without saying so: the end of the bytes, as without TLS.
  if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return 0;
  }
  failure_ = TakeReason();
  errno = EPROTO;
  return -1;
}

ssize_t TlsSession::Write(const char* data, size_t size) {
  ERR_clear_error();
  errno = 0;
  size_t written = 0;
  const int result = SSL_write_ex(session_, data, size, &written);
  return result == 1 ? static_cast<ssize_t>(written) : Fail(result);
}

ssize_t TlsSession::Read(char* data, size_t size) {
  ERR_clear_error();
  errno = 0;
  wants_write_ = false;
  size_t read = 0;
  const int result = SSL_read_ex(session_, data, size, &read);
  return result == 1 ? static_cast<ssize_t>(read) : Fail(result);
}

bool TlsSession::has_pending() const { return SSL_pending(session_) > 0; }

}  // namespace banquet::redis
