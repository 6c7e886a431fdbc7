// SPDX-License-Identifier: MIT
#include "tests/support/latch_commands.h"

#include <algorithm>
#include <map>

#include "client/broker.h"

namespace {

using namespace gssipsec;

// The words hold slots of the library's connections; like those they live as long as the process.
std::map<int, client::LatchWord>& held() {
  static auto* words = new std::map<int, client::LatchWord>();
  return *words;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "\"";
}

// Without its prefix.
std::string name_of(base::Code code) { return code == base::Code::ok ? "" : std::string(base::code_name(code)).substr(sizeof "GSS_IPSEC_E_" - 1); }

std::string answer(const base::Error& error, const std::string& more = "") {
  return "{\"code\": " + std::to_string(static_cast<unsigned>(error.code)) + ", \"name\": " + quoted(name_of(error.code)) +
         ", \"why\": " + quoted(error.code == base::Code::ok ? "" : base::describe(error)) + more + "}";
}

std::string latch(int fd, const std::vector<std::string>& words) {
  protocol::LatchRequest request;
  for (const std::string& word : words)
    if (word.starts_with("peer=")) request.peer = channel::parse_address(word.substr(5)).ok() ? *channel::parse_address(word.substr(5)) : channel::Address();
  auto got = client::Broker::latch(fd, request);
  if (!got) return answer(got.error(), ", \"state\": \"\"");
  held()[fd] = std::move(got->latch);
  const protocol::LatchReply& reply = got->reply;
  return answer({base::Code::ok, {}}, ", \"state\": " + quoted(protocol::latch_state_name(reply.channel.latch)) + ", \"peer\": " + quoted(reply.channel.peer_name) +
                                          ", \"monitored_why\": " + quoted(reply.detail) + ", \"suite\": " + quoted(reply.channel.suite) + ", \"shut\": " + (reply.channel.breaks_shut ? "true" : "false"));
}

}  // namespace

std::optional<std::string> latch_command(const std::vector<std::string>& words, int connected, int listener) {
  if (words.empty()) return std::nullopt;
  const int fd = std::ranges::find(words, "listener") == words.end() ? connected : listener;
  if (words[0] == "latch") return latch(fd, words);
  if (words[0] == "latched") return answer({base::Code::ok, {}}, ", \"state\": " + quoted(protocol::latch_state_name(held()[fd].state())));
  if (words[0] == "unhold") return held().erase(fd), answer({base::Code::ok, {}});
  if (words[0] != "unlatch") return std::nullopt;
  const base::Status done = client::Broker::unlatch(fd);
  return answer(done.ok() ? base::Error{base::Code::ok, {}} : done.error());
}
