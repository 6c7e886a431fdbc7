// SPDX-License-Identifier: MIT
#include "broker/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>

// toml++ 3.3 asserts what input can contradict ("[[[a]]") and then reports the same as an error: the error is wanted.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_EXCEPTIONS 0
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "base/unique_fd.h"
#include "broker/config_section.h"
#include "channel/quality.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kMaxFile = 1U << 20;
constexpr std::size_t kMaxSocketPath = 107;  // sun_path with its NUL
constexpr std::int64_t kMaxKeyBits = 256;

bool contains(const std::vector<std::uint16_t>& ports, std::uint16_t port) { return std::ranges::find(ports, port) != ports.end(); }

class Parser {
 public:
  Parser(const toml::table& root, Faults& faults) : root_(root, "top level", faults), faults_(faults) {}

  Config parse() {
    one("broker", [this](Section& in) { broker(in); });
    one("ike", [this](Section& in) { ike(in); });
    one("channel", [this](Section& in) { channel_limits(in); });
    one("limits", [this](Section& in) { limits(in); });
    one("access", [this](Section& in) { access(in); });
    one("metrics", [this](Section& in) { metrics(in); });
    each("service", [this](Section& in) { service(in); });
    each("vouch", [this](Section& in) { vouch(in); });
    each("psk", [this](Section& in) { psk(in); });
    each("static", [this](Section& in) { static_rule(in); });
    each("program", [this](Section& in) { program(in); });
    each("level", [this](Section& in) { level(in); });
    root_.refuse_unknown();
    return std::move(config_);
  }

 private:
  template <typename Read>
  void one(const char* key, Read read) {
    const toml::node* node = root_.find(key);
    if (!node) return;
    if (!node->is_table()) {
      root_.fault(*node, std::string("[") + key + "] must be a table, found " + kind(*node));
      return;
    }
    Section section(*node->as_table(), std::string("[") + key + "]", faults_);
    read(section);
    section.refuse_unknown();
  }
  template <typename Read>
  void each(const char* key, Read read) {
    const toml::node* node = root_.find(key);
    if (!node) return;
    const std::string name = std::string("[[") + key + "]]";
    if (!node->is_array()) {
      root_.fault(*node, name + " must be written with two brackets, found " + kind(*node));
      return;
    }
    for (const toml::node& element : *node->as_array()) {
      if (!element.is_table()) {
        root_.fault(element, name + " must be a table, found " + kind(element));
        continue;
      }
      Section section(*element.as_table(), name, faults_);
      read(section);
      section.refuse_unknown();
    }
  }

  static bool socket_path(std::string_view path) { return path.size() > 1 && path.front() == '/' && path.size() <= kMaxSocketPath; }

  void broker(Section& in) {
    const toml::node* node = in.find("socket");
    const auto path = in.word("socket", node);
    if (!path) return;
    if (!socket_path(*path))
      in.fault(*node, "socket must be an absolute path of at most 107 characters, found " + quoted(*path));
    else
      config_.socket = *path;
  }

  void ike(Section& in) {
    const toml::node* owner = in.find("vici-owner");
    config_.vici_owner = in.word("vici-owner", owner);
    const toml::node* node = in.find("vici");
    auto path = in.text("vici", node);
    if (!path) return;
    if (path->rfind("unix://", 0) == 0) path->erase(0, 7);
    if (!path->empty() && !(socket_path(*path) && plain(*path)))
      in.fault(*node, "vici must be unix:// and an absolute path of at most 107 characters, or \"\", found " + quoted(*path));
    else
      config_.vici = std::move(path);
  }

  void channel_limits(Section& in) {
    in.set_number("min-key-bits", config_.min_key_bits, channel::kMinimumKeyBits, kMaxKeyBits);
    in.set_number("context-lifetime", config_.context_lifetime, 1, 604800);
  }

  void limits(Section& in) {
    in.set_number("max-clients", config_.max_clients, 1, 100000);
    in.set_number("max-clients-per-user", config_.max_clients_per_user, 1, 100000);
    in.set_number("latches-per-user", config_.latches_per_user, 1, 1000000);
    in.set_number("subscriptions-per-user", config_.subscriptions_per_user, 1, 100000);
    in.set_number("events-queued", config_.events_queued, 1, 10000);
    in.set_number("workers", config_.workers, 1, 64);
    in.set_number("workers-per-user", config_.workers_per_user, 1, 64);
    if (config_.workers_per_user > config_.workers)
      in.fault(in.table(), "workers-per-user (" + std::to_string(config_.workers_per_user) + ") must not exceed workers (" +
                               std::to_string(config_.workers) + ")");
    if (config_.max_clients_per_user > config_.max_clients)
      in.fault(in.table(), "max-clients-per-user (" + std::to_string(config_.max_clients_per_user) +
                               ") must not exceed max-clients (" + std::to_string(config_.max_clients) + ")");
  }

  // "*", a user, or a group behind '@'.
  static bool grantee(std::string_view name) { return plain(name) && name != "@" && name.find_first_of(" /:,") == std::string_view::npos; }

  void access(Section& in) {
    for (std::size_t i = 0; i < kActions; ++i) {
      const char* key = action_name(static_cast<Action>(i));
      const toml::node* node = in.find(key);
      if (!node) continue;
      if (!node->is_array()) {
        in.wrong_type(*node, key, "an array of users, @groups or \"*\"");
        continue;
      }
      config_.access[i].clear();
      for (const toml::node& element : *node->as_array()) {
        const auto name = in.text(key, &element);
        if (name && !grantee(*name)) in.fault(element, std::string(key) + " must name users, @groups or \"*\", found " + quoted(*name));
        else if (name) config_.access[i].push_back(*name);
      }
    }
  }

  void metrics(Section& in) {
    const toml::node* node = in.require("file");
    const auto path = in.word("file", node);
    in.set_number("interval", config_.metrics_interval, 1, 3600);
    if (!path) return;
    if (path->front() != '/' || path->back() == '/')
      in.fault(*node, "file must be the absolute path of a file, found " + quoted(*path));
    else
      config_.metrics_file = *path;
  }

  void service(Section& in) {
    const auto user = in.word("user", in.require("user"));
    const toml::node* name_node = in.require("name");
    const auto name = in.word("name", name_node);
    const auto port = in.number("port", in.require("port"), 1, 65535);
    if (name && name->find_first_of("@/ ") != std::string::npos) {
      in.fault(*name_node, "name must be a service's name without @, / or blank, found " + quoted(*name));
      return;
    }
    if (user && name && port) config_.services.push_back({*user, *name, static_cast<std::uint16_t>(*port)});
  }

  // A local name that could be read as something else than one user of this host.
  static bool local_name(std::string_view name) {
    return plain(name) && name.front() != '-' && name.find_first_of("@/: ") == std::string_view::npos;
  }

  void add_vouched(Section& in, const toml::node& node, std::string_view user, const std::string& local, VouchRule& rule) {
    if (!plain(user) || !local_name(local)) {
      in.fault(node, "users must be names, the local ones without @, /, :, blank or leading -, found " + quoted(user) + " as " + quoted(local));
      return;
    }
    if (!rule.users.emplace(user, local).second) in.fault(node, "user " + quoted(user) + " is named twice");
  }

  void vouched_users(Section& in, const toml::node& node, VouchRule& rule) {
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list)
        if (const auto user = in.text("users", &element)) add_vouched(in, element, *user, *user, rule);
    } else if (const toml::table* map = node.as_table()) {
      for (const auto& [user, local] : *map)
        if (const auto name = in.text("users", &local)) add_vouched(in, local, user.str(), *name, rule);
    } else {
      in.wrong_type(node, "users", "an array of names or a table { theirs = \"ours\" }");
    }
  }

  void vouch(Section& in) {
    VouchRule rule;
    const auto peer = in.identity("peer");
    if (const toml::node* node = in.require("users")) vouched_users(in, *node, rule);
    if (!peer) return;
    rule.peer = *peer;
    if (std::any_of(config_.vouches.begin(), config_.vouches.end(), [&](const VouchRule& other) { return other.peer == *peer; }))
      in.fault(in.table(), "peer " + quoted(channel::format(*peer)) + " has another [[vouch]] already; write its users into one");
    config_.vouches.push_back(std::move(rule));
  }

  void psk(Section& in) {
    const auto connection = in.word("connection", in.require("connection"));
    const auto holder = in.identity("held-by");
    if (!connection || !holder) return;
    if (std::any_of(config_.psks.begin(), config_.psks.end(), [&](const PskRule& other) { return other.connection == *connection; }))
      in.fault(in.table(), "connection " + quoted(*connection) + " has another [[psk]] already; a secret with two holders is a group's");
    config_.psks.push_back({*connection, *holder});
  }

  static bool same_pair(const StaticRule& a, const StaticRule& b) {
    const bool straight = a.local_address == b.local_address && a.remote_address == b.remote_address;
    const bool crossed = a.local_address == b.remote_address && a.remote_address == b.local_address;
    return (straight || crossed) && a.reqid == b.reqid;
  }

  void static_rule(Section& in) {
    StaticRule rule;
    const auto local = in.identity("local"), remote = in.identity("remote");
    const auto local_address = in.address("local-address"), remote_address = in.address("remote-address");
    if (const auto reqid = in.number("reqid", in.find("reqid"), 0, std::numeric_limits<std::uint32_t>::max()))
      rule.reqid = static_cast<std::uint32_t>(*reqid);
    rule.exclusive = in.flag("exclusive").value_or(false);
    if (!local || !remote || !local_address || !remote_address) return;
    rule.local = *local;
    rule.remote = *remote;
    rule.local_address = *local_address;
    rule.remote_address = *remote_address;
    if (rule.local_address.family != rule.remote_address.family || rule.local_address == rule.remote_address)
      in.fault(in.table(), "local-address and remote-address must be two addresses of one family");
    if (std::any_of(config_.statics.begin(), config_.statics.end(), [&](const StaticRule& other) { return same_pair(rule, other); }))
      in.fault(in.table(), "these addresses and this reqid have another [[static]] already");
    config_.statics.push_back(std::move(rule));
  }

  // Its elements; none where it is absent. An empty one would say nothing that its absence does not.
  static std::vector<const toml::node*> list(Section& in, const char* key, const char* wanted) {
    const toml::node* node = in.find(key);
    if (!node) return {};
    std::vector<const toml::node*> elements;
    if (const toml::array* array = node->as_array())
      for (const toml::node& element : *array) elements.push_back(&element);
    if (elements.empty()) in.wrong_type(*node, key, wanted);
    return elements;
  }

  static void minimum(Section& in, Minimum& rule) {
    in.set_number("min-key-bits", rule.min_key_bits, channel::kMinimumKeyBits, kMaxKeyBits);
    for (const toml::node* element : list(in, "suites", "an array of names that ipsec-gss status shows"))
      if (const auto suite = in.word("suites", element)) rule.suites.push_back(*suite);
  }

  void level(Section& in) {
    protocol::Strength name = protocol::Strength::any;
    if (in.require("name")) in.set_choice("name", name, kLevelNames);
    Minimum rule;
    minimum(in, rule);
    if (name != protocol::Strength::any) config_.levels[static_cast<std::size_t>(name) - 1] = std::move(rule);
  }

  // A connection has one line.
  void ports(Section& in, const std::string& path, ProgramRule& rule) {
    for (const toml::node* element : list(in, "ports", "an array of numbers")) {
      const auto port = in.number("ports", element, 1, 65535);
      if (!port) continue;
      const auto number = static_cast<std::uint16_t>(*port);
      const auto about_it = [&](const ProgramRule& other) { return other.path == path && contains(other.ports, number); };
      if (contains(rule.ports, number) || std::ranges::any_of(config_.programs, about_it))
        in.fault(*element, "port " + std::to_string(number) + " of path " + quoted(path) + " is listed already");
      rule.ports.push_back(number);
    }
  }

  void program(Section& in) {
    using protocol::KerberosUse;
    static constexpr std::pair<const char*, KerberosUse> kKerberos[] = {
        {"off", KerberosUse::off}, {"bind", KerberosUse::bind}, {"skip", KerberosUse::skip}};
    static constexpr std::pair<const char*, protocol::Seal> kSeal[] = {
        {"never", protocol::Seal::never}, {"unless-confidential", protocol::Seal::unless_confidential}, {"always", protocol::Seal::always}};
    static constexpr std::pair<const char*, WithoutTicket> kWithout[] = {{"refuse", WithoutTicket::refuse}, {"ipsec", WithoutTicket::ipsec}};
    static constexpr std::pair<const char*, Spnego> kSpnego[] = {{"off", Spnego::off}, {"ipsec-first", Spnego::ipsec_first}};
    ProgramRule rule;
    const toml::node* node = in.require("path");
    const auto path = in.text("path", node);
    in.set_choice("kerberos", rule.kerberos, kKerberos);
    in.set_choice("seal", rule.seal, kSeal);
    in.set_choice("without-ticket", rule.acquiring.without_ticket, kWithout);
    in.set_choice("spnego", rule.acquiring.spnego, kSpnego);
    minimum(in, rule);
    ports(in, path.value_or(""), rule);
    if (!path) return;
    if (path->size() < 2 || path->front() != '/' || !protocol::is_name(*path))
      in.fault(*node, "path must be a program's absolute path, of at most " + std::to_string(protocol::kMaxName) + " octets without control characters, found " + quoted(*path));
    if (rule.ports.empty() && std::ranges::any_of(config_.programs, [&](const ProgramRule& other) { return other.path == *path && other.ports.empty(); }))
      in.fault(*node, "path " + quoted(*path) + " has another [[program]] without ports already");
    if (!rule.ports.empty() && rule.acquiring.without_ticket != WithoutTicket::refuse)
      in.fault(in.table(), "without-ticket is for all connections of a program; write it where the path has no ports");
    if (!rule.ports.empty() && rule.acquiring.spnego != Spnego::off)
      in.fault(in.table(), "spnego is for all connections of a program; write it where the path has no ports");
    rule.path = *path;
    config_.programs.push_back(std::move(rule));
  }

  Section root_;
  Faults& faults_;
  Config config_;
};

// toml++ 3.3 has undefined behaviour for some characters beyond ASCII outside of strings. They are allowed only where it
// passes over them: in lines that are comments. Says the line of the first other one; 0 when there is none.
std::size_t line_beyond_ascii(std::string_view text) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view here = text.substr(0, end);
    const std::size_t first = here.find_first_not_of(" \t");
    const bool comment = first != std::string_view::npos && here[first] == '#';
    if (!comment && std::any_of(here.begin(), here.end(), [](unsigned char c) { return c > 0x7f; })) return line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}

base::Result<std::string> read_whole(int fd, const std::string& path) {
  std::string text;
  char block[16384];
  for (;;) {
    const ssize_t got = read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::system_error(Code::BAD_CONFIG, path.c_str(), errno);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > kMaxFile) return fail(Code::BAD_CONFIG, path + ": longer than 1 MiB");
  }
}

}  // namespace

base::Result<Config> parse_config(std::string_view text, const std::string& file_name) {
  Faults faults(file_name);
  if (text.size() > kMaxFile) return fail(Code::BAD_CONFIG, file_name + ": longer than 1 MiB");
  if (const std::size_t line = line_beyond_ascii(text))
    return fail(Code::BAD_CONFIG, file_name + ":" + std::to_string(line) + ": characters beyond ASCII are allowed only in comments on lines of their own; "
                                      "write them as \\uXXXX in strings");
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    faults.add(parsed.error().source(), std::string(parsed.error().description()));
    return fail(Code::BAD_CONFIG, faults.text());
  }
  Config config = Parser(parsed.table(), faults).parse();
  if (!faults.none()) return fail(Code::BAD_CONFIG, faults.text());
  return config;
}

base::Result<Config> load_config(const std::string& path) {
  // Not blocking, so that a fifo in the file's place cannot hold the broker up.
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return base::system_error(Code::BAD_CONFIG, path.c_str(), errno);
  struct stat about {};
  if (fstat(fd.get(), &about) != 0) return base::system_error(Code::BAD_CONFIG, path.c_str(), errno);
  if (!S_ISREG(about.st_mode)) return fail(Code::BAD_CONFIG, path + ": not a regular file");
  if (about.st_mode & S_IWOTH) return fail(Code::BAD_CONFIG, path + ": anybody may write to it; take that right away (chmod o-w)");
  const auto text = read_whole(fd.get(), path);
  if (!text) return text.error();
  return parse_config(*text, path);
}

std::vector<ike::StaticEnds> static_ends(const Config& config) {
  std::vector<ike::StaticEnds> ends;
  for (const StaticRule& rule : config.statics)
    ends.push_back({rule.local, rule.remote, rule.local_address, rule.remote_address, rule.reqid, rule.exclusive});
  return ends;
}

bool Minimum::admits(const channel::Quality& found) const {
  return found.key_bits >= min_key_bits && (suites.empty() || std::ranges::find(suites, found.suite) != suites.end());
}

namespace {

bool is_rest(const ProgramRule& rule) noexcept { return rule.ports.empty(); }

// Every connection has a line: what no other is about, one that changes nothing.
std::vector<ProgramRule> lines_of(const Config& config, const std::string& path) {
  std::vector<ProgramRule> lines;
  std::ranges::copy_if(config.programs, std::back_inserter(lines), [&](const ProgramRule& rule) { return rule.path == path; });
  if (std::ranges::none_of(lines, is_rest)) lines.emplace_back();
  for (ProgramRule& line : lines) line.min_key_bits = std::max(line.min_key_bits, config.min_key_bits);
  return lines;
}

ProgramRule of_all(const std::vector<ProgramRule>& lines) {
  ProgramRule all;
  all.seal = protocol::Seal::never;
  for (const ProgramRule& line : lines) {
    all.kerberos = std::max(all.kerberos, line.kerberos);
    all.seal = std::max(all.seal, line.seal);
    all.min_key_bits = std::max(all.min_key_bits, line.min_key_bits);
    if (is_rest(line)) all.acquiring = line.acquiring;
  }
  return all;
}

}  // namespace

ProgramRule rule_for(const Config& config, const std::string& path) {
  if (!path.empty()) return of_all(lines_of(config, path));
  // It may be any of them, or none.
  std::vector<ProgramRule> any = lines_of(config, path);
  any.insert(any.end(), config.programs.begin(), config.programs.end());
  ProgramRule rule = of_all(any);
  rule.kerberos = protocol::KerberosUse::off;
  rule.acquiring = {};
  return rule;
}

ProgramRule rule_at(const Config& config, const std::string& path, std::uint16_t port) {
  const auto lines = lines_of(config, path);
  const auto about_it = std::ranges::find_if(lines, [port](const ProgramRule& line) { return contains(line.ports, port); });
  return about_it != lines.end() ? *about_it : *std::ranges::find_if(lines, is_rest);
}

}  // namespace gssipsec::broker
