// SPDX-License-Identifier: MIT
// Decoding of SAs (XFRM_MSG_NEWSA and its kin) and of their keys.
#include <arpa/inet.h>
#include <linux/udp.h>

#include <algorithm>

#include "kernel/xfrm.h"
#include "kernel/xfrm_wire.h"

namespace gssipsec::kernel {

namespace {

using wire::Attributes;
using wire::broken;

constexpr std::uint8_t kEncapTcp = 7;  // TCP_ENCAP_ESPINTCP, not in every header

// The fixed parts of structures that end in a flexible array: xfrm_algo, xfrm_algo_auth and xfrm_algo_aead (whose third
// word is the ICV's length either way), xfrm_replay_state_esn.
struct PlainHead {
  char name[64];
  std::uint32_t key_bits;
  static constexpr std::uint32_t icv_bits = 0;
};
struct IcvHead {
  char name[64];
  std::uint32_t key_bits, icv_bits;
};
struct EsnHead {
  std::uint32_t bitmap_words, oseq, seq, oseq_hi, seq_hi, window;
};
static_assert(sizeof(PlainHead) == sizeof(xfrm_algo) && sizeof(IcvHead) == sizeof(xfrm_algo_auth));
static_assert(sizeof(IcvHead) == sizeof(xfrm_algo_aead) && sizeof(EsnHead) == sizeof(xfrm_replay_state_esn));

// An algorithm attribute: a name, then a key whose length in bits the message tells.
struct RawAlgorithm {
  channel::Algorithm algorithm;
  base::View key;
};

bool printable(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127; });
}

template <typename T>
base::Result<RawAlgorithm> algorithm_of(const Attributes& attributes, std::uint16_t type) {
  if (!attributes.has(type)) return RawAlgorithm{};
  const base::View data = attributes.raw(type);
  const auto raw = wire::head<T>(data);
  if (!raw) return broken("an algorithm is cut off");
  const std::size_t length = strnlen(raw->name, sizeof raw->name);
  const std::string_view name(raw->name, length);
  if (length == sizeof raw->name || !printable(name)) return broken("an algorithm has no readable name");
  const std::size_t octets = (std::size_t{raw->key_bits} + 7) / 8;
  const base::View key = data.subspan(sizeof(T));
  if (octets > key.size()) return broken("wanted a key of " + std::to_string(octets) + " octets, found " + std::to_string(key.size()));
  return RawAlgorithm{{std::string(name), raw->key_bits, raw->icv_bits}, key.first(octets)};
}

// The kernel tells an authentication algorithm twice; only the second form has the length of the ICV.
base::Result<RawAlgorithm> authentication_of(const Attributes& attributes) {
  if (attributes.has(XFRMA_ALG_AUTH_TRUNC)) return algorithm_of<IcvHead>(attributes, XFRMA_ALG_AUTH_TRUNC);
  return algorithm_of<PlainHead>(attributes, XFRMA_ALG_AUTH);
}

struct RawAlgorithms {
  RawAlgorithm aead, encryption, authentication, compression;
};

base::Result<RawAlgorithms> algorithms_of(const Attributes& attributes) {
  auto aead = algorithm_of<IcvHead>(attributes, XFRMA_ALG_AEAD);
  if (!aead) return aead.error();
  auto encryption = algorithm_of<PlainHead>(attributes, XFRMA_ALG_CRYPT);
  if (!encryption) return encryption.error();
  auto authentication = authentication_of(attributes);
  if (!authentication) return authentication.error();
  auto compression = algorithm_of<PlainHead>(attributes, XFRMA_ALG_COMP);
  if (!compression) return compression.error();
  return RawAlgorithms{*std::move(aead), *std::move(encryption), *std::move(authentication), *std::move(compression)};
}

base::Status read_replay(const Attributes& attributes, const xfrm_usersa_info& info, channel::Sa& sa) {
  sa.replay_window = info.replay_window;
  sa.esn = (info.flags & XFRM_STATE_ESN) != 0;
  if (!attributes.has(XFRMA_REPLAY_ESN_VAL)) return {};
  const auto state = wire::head<EsnHead>(attributes.raw(XFRMA_REPLAY_ESN_VAL));
  const std::size_t left = attributes.raw(XFRMA_REPLAY_ESN_VAL).size();
  if (!state || (left - sizeof(EsnHead)) / 4 < state->bitmap_words) return broken("a replay state is cut off");
  sa.replay_window = state->window;
  return {};
}

base::Status read_encapsulation(const Attributes& attributes, channel::Sa& sa) {
  if (!attributes.has(XFRMA_ENCAP)) return {};
  const auto encap = wire::head<xfrm_encap_tmpl>(attributes.raw(XFRMA_ENCAP));
  if (!encap) return broken("an encapsulation is cut off");
  sa.encapsulated = true;
  sa.encap_source_port = ntohs(encap->encap_sport);
  sa.encap_destination_port = ntohs(encap->encap_dport);
  if (encap->encap_type != UDP_ENCAP_ESPINUDP && encap->encap_type != UDP_ENCAP_ESPINUDP_NON_IKE && encap->encap_type != kEncapTcp)
    sa.incomplete = true;
  return {};
}

// Security labels, care-of addresses and offload of whole packets change what an SA does to a packet.
base::Status read_uncommon(const Attributes& attributes, channel::Sa& sa) {
  xfrm_user_offload offload{};
  if (!attributes.read(XFRMA_OFFLOAD_DEV, offload)) return broken("an offload device is cut off");
  if (attributes.has_unknown() || attributes.has(XFRMA_SEC_CTX) || attributes.has(XFRMA_COADDR) || (offload.flags & XFRM_OFFLOAD_PACKET))
    sa.incomplete = true;
  return {};
}

base::Status read_id(const xfrm_usersa_info& info, channel::SaId& id, channel::Address& source) {
  const channel::Family family = wire::family_of(info.family);
  if (family == channel::Family::none) return broken("wanted an SA of family 2 or 10, found " + std::to_string(info.family));
  id = {ntohl(info.id.spi), wire::address_of(info.id.daddr, family), info.id.proto};
  source = wire::address_of(info.saddr, family);
  return {};
}

base::Status read_attributes(const Attributes& attributes, const xfrm_usersa_info& info, channel::Sa& sa) {
  if (!wire::read_mark(attributes, sa.mark) || !attributes.read(XFRMA_IF_ID, sa.if_id)) return broken("a mark or if_id is cut off");
  if (base::Status ok = read_replay(attributes, info, sa); !ok) return ok;
  if (base::Status ok = read_encapsulation(attributes, sa); !ok) return ok;
  return read_uncommon(attributes, sa);
}

// Only names and lengths: the keys stay in the datagram, which its reader wipes.
base::Status read_algorithms(const Attributes& attributes, channel::Sa& sa) {
  auto raw = algorithms_of(attributes);
  if (!raw) return raw.error();
  sa.aead = std::move(raw->aead.algorithm);
  sa.encryption = std::move(raw->encryption.algorithm);
  sa.authentication = std::move(raw->authentication.algorithm);
  sa.compression = std::move(raw->compression.algorithm);
  return {};
}

// A larval SA (ALLOCSPI, or waiting for IKE) is in the dump too, and the dump does not tell the state; but no mature one
// of these protocols is without any algorithm.
channel::SaState state_of(const channel::Sa& sa) noexcept {
  const bool needs_algorithm = sa.id.protocol == channel::kProtoEsp || sa.id.protocol == channel::kProtoAh || sa.id.protocol == channel::kProtoComp;
  const bool has_algorithm = !sa.aead.name.empty() || !sa.encryption.name.empty() || !sa.authentication.name.empty() || !sa.compression.name.empty();
  return needs_algorithm && !has_algorithm ? channel::SaState::acquire : channel::SaState::valid;
}

struct Opened {
  xfrm_usersa_info info{};
  Attributes attributes;
};

base::Result<Opened> open_message(base::View payload) {
  const auto info = wire::head<xfrm_usersa_info>(payload);
  if (!info) return broken("wanted an SA of " + std::to_string(sizeof(xfrm_usersa_info)) + " octets, found " + std::to_string(payload.size()));
  auto attributes = Attributes::walk(wire::behind(payload, sizeof(xfrm_usersa_info)));
  if (!attributes) return attributes.error();
  return Opened{*info, *std::move(attributes)};
}

}  // namespace

base::Result<channel::Sa> decode_sa(base::View payload) {
  auto opened = open_message(payload);
  if (!opened) return opened.error();
  const xfrm_usersa_info& info = opened->info;
  channel::Sa sa;
  if (base::Status ok = read_id(info, sa.id, sa.source); !ok) return ok.error();
  auto selector = wire::selector_of(info.sel);
  if (!selector) return selector.error();
  sa.selector = *selector;
  sa.reqid = info.reqid;
  sa.mode = wire::mode_of(info.mode);
  sa.added = info.curlft.add_time;
  if (base::Status ok = read_attributes(opened->attributes, info, sa); !ok) return ok.error();
  if (base::Status ok = read_algorithms(opened->attributes, sa); !ok) return ok.error();
  sa.state = state_of(sa);
  return sa;
}

base::Result<channel::SaKeys> decode_keys(base::View payload) {
  auto opened = open_message(payload);
  if (!opened) return opened.error();
  channel::SaKeys keys;
  channel::Address source;
  if (base::Status ok = read_id(opened->info, keys.id, source); !ok) return ok.error();
  keys.added = opened->info.curlft.add_time;
  auto raw = algorithms_of(opened->attributes);
  if (!raw) return raw.error();
  keys.encryption_key = base::Secret(raw->aead.algorithm.name.empty() ? raw->encryption.key : raw->aead.key);
  keys.authentication_key = base::Secret(raw->authentication.key);
  keys.aead = std::move(raw->aead.algorithm);
  keys.encryption = std::move(raw->encryption.algorithm);
  keys.authentication = std::move(raw->authentication.algorithm);
  return keys;
}

}  // namespace gssipsec::kernel
