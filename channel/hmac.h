// SPDX-License-Identifier: MIT
// HMAC-SHA256 of OpenSSL, for exporters and for messages.
#pragma once

#include <openssl/evp.h>

#include <memory>

namespace gssipsec::channel {

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeMac>;

// Without a key. A copy of what was looked up once in the process' life, because names cost more than keys. Null when
// OpenSSL fails. Any thread, and a child of a process with several.
[[nodiscard]] MacContext hmac_sha256_context() noexcept;

}  // namespace gssipsec::channel
