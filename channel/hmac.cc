// SPDX-License-Identifier: MIT
#include "channel/hmac.h"

#include <openssl/core_names.h>

#include <atomic>

namespace gssipsec::channel {
namespace {

MacContext new_hmac_sha256() noexcept {
  EVP_MAC* hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacContext context(hmac ? EVP_MAC_CTX_new(hmac) : nullptr);
  EVP_MAC_free(hmac);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return context && EVP_MAC_CTX_set_params(context.get(), params) == 1 ? std::move(context) : nullptr;
}

// A plain pointer that nobody destroys, and no lock that a fork could leave locked. Of two threads that come first at once
// one is too late; a failure is not kept.
EVP_MAC_CTX* kept_hmac_sha256() noexcept {
  static constinit std::atomic<EVP_MAC_CTX*> kept{nullptr};
  EVP_MAC_CTX* known = kept.load(std::memory_order_acquire);
  if (known) return known;
  MacContext fresh = new_hmac_sha256();
  if (!kept.compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) return known;
  return fresh.release();
}

}  // namespace

MacContext hmac_sha256_context() noexcept {
  EVP_MAC_CTX* const kept = kept_hmac_sha256();
  return MacContext(kept ? EVP_MAC_CTX_dup(kept) : nullptr);
}

}  // namespace gssipsec::channel
