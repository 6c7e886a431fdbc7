// SPDX-License-Identifier: MIT
#include "broker/config.h"

#include <cppunit/extensions/HelperMacros.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace gssipsec::broker::test {
namespace {

Config good(std::string_view text) {
  auto config = parse_config(text, "f");
  CPPUNIT_ASSERT_MESSAGE(config.ok() ? "" : config.error().detail, config.ok());
  return *std::move(config);
}

std::string faults(std::string_view text) {
  const auto config = parse_config(text, "f");
  CPPUNIT_ASSERT_MESSAGE("should be refused: " + std::string(text), !config.ok());
  CPPUNIT_ASSERT(config.error().code == base::Code::BAD_CONFIG);
  return config.error().detail;
}

void refused(std::string_view text, std::string_view why) {
  const std::string found = faults(text);
  CPPUNIT_ASSERT_MESSAGE(std::string(text) + " gave: " + found, found.find(why) != std::string::npos);
}

constexpr const char* kStatic = R"(
[[static]]
local = "fqdn:a.example.org"
remote = "fqdn:b.example.org"
local-address = "192.0.2.1"
remote-address = "192.0.2.2"
)";

}  // namespace

class ConfigTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigTest);
  CPPUNIT_TEST(an_empty_file_gives_the_defaults);
  CPPUNIT_TEST(every_key_is_read);
  CPPUNIT_TEST(unknown_keys_are_faults_at_every_level);
  CPPUNIT_TEST(wrong_types_are_faults);
  CPPUNIT_TEST(all_faults_are_collected_with_their_lines);
  CPPUNIT_TEST(missing_keys_are_faults);
  CPPUNIT_TEST(numbers_have_ranges);
  CPPUNIT_TEST(key_strength_cannot_go_below_128);
  CPPUNIT_TEST(a_programs_lines_share_its_ports);
  CPPUNIT_TEST(ports_are_listed_once);
  CPPUNIT_TEST(identities_need_their_type);
  CPPUNIT_TEST(a_secret_has_one_holder);
  CPPUNIT_TEST(vouched_users_may_be_mapped);
  CPPUNIT_TEST(local_names_cannot_be_read_as_something_else);
  CPPUNIT_TEST(static_ends_are_two_hosts_told_once);
  CPPUNIT_TEST(static_keys_are_not_exclusive_by_default);
  CPPUNIT_TEST(vici_is_a_unix_socket_or_off);
  CPPUNIT_TEST(broken_toml_is_told_with_its_line);
  CPPUNIT_TEST(characters_beyond_ascii_are_for_comments);
  CPPUNIT_TEST(faults_stay_on_one_line);
  CPPUNIT_TEST(files_are_checked_before_they_are_read);
  CPPUNIT_TEST_SUITE_END();

 public:
  void an_empty_file_gives_the_defaults() {
    const Config config = good("");
    CPPUNIT_ASSERT_EQUAL(std::string("/run/ipsec-gss/gssd.sock"), config.socket);
    CPPUNIT_ASSERT(!config.vici && !config.vici_owner);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, config.min_key_bits);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{36000}, config.context_lifetime);
    CPPUNIT_ASSERT(config.services.empty() && config.vouches.empty() && config.psks.empty() && config.statics.empty() && config.programs.empty());
  }

  void every_key_is_read() {
    const Config config = good(R"(
[broker]
socket = "/run/x/sock"
[ike]
vici = "unix:///run/strongswan/vici"
vici-owner = "charon"
[channel]
min-key-bits = 192
context-lifetime = 600
[limits]
max-clients = 100
max-clients-per-user = 10
workers = 4
workers-per-user = 1
[[service]]
user = "postgres"
name = "postgres"
port = 5432
[[vouch]]
peer = "fqdn:Client.example.org"
users = ["alice", "bob"]
[[psk]]
connection = "c"
held-by = "ipv4:192.0.2.2"
[[static]]
local = "fqdn:a.example.org"
remote = "ipv6:2001:db8::2"
local-address = "2001:db8::1"
remote-address = "2001:db8::2"
reqid = 7
exclusive = true
[[program]]
path = "/usr/bin/psql"
kerberos = "bind"
seal = "always"
min-key-bits = 256
without-ticket = "ipsec"
spnego = "ipsec-first"
[[level]]
name = "high"
min-key-bits = 192
suites = ["AES_GCM_16-256", "CHACHA20_POLY1305-256"]
)");
    CPPUNIT_ASSERT_EQUAL(std::string("/run/x/sock"), config.socket);
    CPPUNIT_ASSERT_EQUAL(std::string("/run/strongswan/vici"), *config.vici);
    CPPUNIT_ASSERT_EQUAL(std::string("charon"), *config.vici_owner);
    CPPUNIT_ASSERT(config.min_key_bits == 192 && config.context_lifetime == 600);
    CPPUNIT_ASSERT(config.max_clients == 100 && config.max_clients_per_user == 10 && config.workers == 4 && config.workers_per_user == 1);
    CPPUNIT_ASSERT(config.services.at(0).user == "postgres" && config.services[0].service == "postgres" && config.services[0].port == 5432);
    CPPUNIT_ASSERT(config.vouches.at(0).peer == (channel::Identity{channel::IdType::fqdn, "client.example.org"}));
    CPPUNIT_ASSERT(config.vouches[0].users == (std::map<std::string, std::string>{{"alice", "alice"}, {"bob", "bob"}}));
    CPPUNIT_ASSERT(config.psks.at(0).connection == "c" && config.psks[0].holder.value == "192.0.2.2");
    CPPUNIT_ASSERT(config.statics.at(0).exclusive && config.statics[0].reqid == 7u);
    CPPUNIT_ASSERT_EQUAL(std::string("2001:db8::2"), channel::format(config.statics[0].remote_address));
    const ProgramRule& program = config.programs.at(0);
    CPPUNIT_ASSERT(program.path == "/usr/bin/psql" && program.kerberos == protocol::KerberosUse::bind && program.seal == protocol::Seal::always && program.min_key_bits == 256);
    CPPUNIT_ASSERT((rule_for(config, "/usr/bin/psql").policy() == protocol::ProgramPolicy{protocol::KerberosUse::bind, true, protocol::Seal::always, 256, true}));
    for (const char* other : {"/usr/bin/psqlx", "/usr/bin/psq", "psql"})
      CPPUNIT_ASSERT(rule_for(config, other).policy() == protocol::ProgramPolicy{.min_key_bits = 192});
    const protocol::ProgramPolicy unknown{.seal = protocol::Seal::always, .min_key_bits = 256};
    CPPUNIT_ASSERT_MESSAGE("one that cannot say which it is may be any", rule_for(config, "").policy() == unknown);
    Config strict = config;
    strict.min_key_bits = 300;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a line may not lower what [channel] asks for", std::uint16_t{300}, rule_for(strict, "/usr/bin/psql").policy().min_key_bits);
    CPPUNIT_ASSERT(config.levels[2].min_key_bits == 192 && config.levels[2].suites.at(1) == "CHACHA20_POLY1305-256");
    CPPUNIT_ASSERT(config.levels[0].min_key_bits == 128 && config.levels[1].min_key_bits == 192 && config.levels[1].suites.empty());
    CPPUNIT_ASSERT(static_ends(config).at(0).exclusive && static_ends(config)[0].remote == config.statics[0].remote);
  }

  void unknown_keys_are_faults_at_every_level() {
    refused("[brokers]\n", "f:1: top level: unknown key \"brokers\"");
    refused("[channel]\nmin-keybits = 256\n", "f:2: [channel]: unknown key \"min-keybits\"");
    refused(std::string(kStatic) + "exclusiv = true\n", "unknown key \"exclusiv\"");
    refused("[[psk]]\nconnection = \"c\"\nheld-by = \"fqdn:a\"\nholder = 1\n", "f:4: [[psk]]: unknown key");
    refused("[ike.more]\n", "unknown key \"more\"");
  }

  void wrong_types_are_faults() {
    refused("broker = 1\n", "[broker] must be a table, found a whole number");
    refused("[service]\nuser = \"x\"\n", "[[service]] must be written with two brackets, found a table");
    refused("service = [1]\n", "[[service]] must be a table");
    refused("[limits]\nworkers = \"8\"\n", "f:2: [limits]: workers must be a whole number, found a string");
    refused("[limits]\nworkers = 8.0\n", "workers must be a whole number");
    refused("[broker]\nsocket = true\n", "socket must be a string, found true or false");
    refused(std::string(kStatic) + "exclusive = \"yes\"\n", "exclusive must be true or false, found a string");
    refused("[[vouch]]\npeer = \"fqdn:a\"\nusers = \"alice\"\n", "users must be an array of names");
    refused("[[vouch]]\npeer = \"fqdn:a\"\nusers = [1]\n", "users must be a string");
  }

  void all_faults_are_collected_with_their_lines() {
    const std::string found = faults("[channel]\nmin-key-bits = 12\nfoo = 1\n\n[limits]\nworkers = 0\n[[program]]\nseal = \"perhaps\"\n");
    for (const char* part : {"f:2: [channel]: min-key-bits must be 128 to 256, found 12", "f:3: [channel]: unknown key \"foo\"",
                             "f:6: [limits]: workers must be 1 to 64, found 0",
                             "f:8: [[program]]: seal must be one of \"never\", \"unless-confidential\", \"always\", found \"perhaps\"", "path is missing"})
      CPPUNIT_ASSERT_MESSAGE(found, found.find(part) != std::string::npos);
    std::string many;
    for (int i = 0; i < 500; ++i) many += "k" + std::to_string(i) + " = 1\n";
    refused(many, "400 more faults");
  }

  void missing_keys_are_faults() {
    refused("[[service]]\nuser = \"a\"\nname = \"b\"\n", "f:1: [[service]]: port is missing");
    refused("[[service]]\nname = \"b\"\nport = 1\n", "user is missing");
    refused("[[vouch]]\nusers = []\n", "peer is missing");
    refused("[[vouch]]\npeer = \"fqdn:a\"\n", "users is missing");
    refused("[[psk]]\nconnection = \"c\"\n", "held-by is missing");
    refused("[[static]]\nlocal = \"fqdn:a\"\n", "remote-address is missing");
  }

  void numbers_have_ranges() {
    for (const char* line : {"workers = 65", "workers = -1", "workers-per-user = 0", "max-clients = 0", "max-clients = 100001"})
      refused("[limits]\n" + std::string(line) + "\n", "must be");
    refused("[limits]\nworkers = 2\nworkers-per-user = 3\n", "must not exceed");
    refused("[limits]\nmax-clients = 10\n", "must not exceed");
    refused("[channel]\ncontext-lifetime = 0\n", "must be 1 to 604800");
    for (const char* port : {"0", "65536", "-1"})
      refused("[[service]]\nuser = \"a\"\nname = \"b\"\nport = " + std::string(port) + "\n", "port must be 1 to 65535");
    refused(std::string(kStatic) + "reqid = 4294967296\n", "reqid must be 0 to 4294967295");
  }

  // The broker is asked again with each connection only where the whole is not "off".
  void a_programs_lines_share_its_ports() {
    using protocol::KerberosUse, protocol::Seal;
    const std::string ports = "[[program]]\npath = \"/x\"\nports = [5432, 5433]\nkerberos = \"skip\"\nmin-key-bits = 192\nsuites = [\"AES_GCM_16-256\"]\nseal = \"never\"\n";
    const std::string other = "[[program]]\npath = \"/x\"\nports = [389]\nseal = \"always\"\n";
    const std::string rest = "[[program]]\npath = \"/x\"\nkerberos = \"bind\"\nwithout-ticket = \"ipsec\"\nspnego = \"ipsec-first\"\nseal = \"never\"\n";
    const Config all = good(ports + other + rest), alone = good(ports);
    for (const std::uint16_t port : {5432, 5433}) {
      const ProgramRule rule = rule_at(all, "/x", port);
      CPPUNIT_ASSERT(rule.kerberos == KerberosUse::skip && rule.min_key_bits == 192 && rule.suites == std::vector<std::string>{"AES_GCM_16-256"});
    }
    CPPUNIT_ASSERT(rule_at(all, "/x", 389).kerberos == KerberosUse::off && rule_at(all, "/x", 389).seal == Seal::always);
    CPPUNIT_ASSERT(rule_at(all, "/x", 80).kerberos == KerberosUse::bind && rule_at(all, "/x", 80).min_key_bits == 128);
    CPPUNIT_ASSERT(rule_at(all, "/y", 5432).kerberos == KerberosUse::off);
    CPPUNIT_ASSERT((rule_for(all, "/x").policy() == protocol::ProgramPolicy{KerberosUse::skip, true, Seal::always, 192, true}));
    CPPUNIT_ASSERT((rule_for(alone, "/x").policy() == protocol::ProgramPolicy{KerberosUse::skip, false, Seal::unless_confidential, 192, false}));
    CPPUNIT_ASSERT(rule_at(alone, "/x", 80).kerberos == KerberosUse::off);
    CPPUNIT_ASSERT((rule_for(good(rest), "/x").policy() == protocol::ProgramPolicy{KerberosUse::bind, true, Seal::never, 128, true}));
    CPPUNIT_ASSERT((rule_for(all, "").policy() == protocol::ProgramPolicy{KerberosUse::off, false, Seal::always, 192, false}));
    Config strict = all;
    strict.min_key_bits = 256;
    CPPUNIT_ASSERT(rule_at(strict, "/x", 5432).min_key_bits == 256 && rule_at(strict, "/y", 1).min_key_bits == 256);
  }

  void ports_are_listed_once() {
    const std::string line = "[[program]]\npath = \"/x\"\n", listed = line + "ports = [1, 65535]\n";
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, good(listed + line + "[[program]]\npath = \"/y\"\nports = [1]\n").programs.size());
    for (const char* ports : {"[0]", "[65536]", "[-1]"}) refused(line + "ports = " + ports + "\n", "ports must be 1 to 65535");
    for (const char* ports : {"[]", "5432", "\"5432\""}) refused(line + "ports = " + std::string(ports) + "\n", "ports must be an array of numbers");
    refused(line + "ports = [\"5432\"]\n", "ports must be a whole number");
    refused(line + "ports = [7, 7]\n", "f:3: [[program]]: port 7 of path \"/x\" is listed already");
    refused(listed + line + "ports = [2, 65535]\n", "f:6: [[program]]: port 65535 of path \"/x\" is listed already");
    refused(line + listed + line, "f:7: [[program]]: path \"/x\" has another [[program]] without ports already");
    refused(listed + "without-ticket = \"ipsec\"\n", "f:1: [[program]]: without-ticket is for all connections of a program");
    refused(listed + "spnego = \"ipsec-first\"\n", "f:1: [[program]]: spnego is for all connections of a program");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, good(listed + "spnego = \"off\"\n").programs.size());
    for (const char* suites : {"[]", "\"AES\"", "[1]"}) refused(line + "suites = " + suites + "\n", "suites must be");
  }

  void key_strength_cannot_go_below_128() {
    refused("[channel]\nmin-key-bits = 127\n", "128");
    refused("[[program]]\npath = \"/x\"\nmin-key-bits = 64\n", "128");
    refused("[[program]]\npath = \"/x\"\nwithout-ticket = \"yes\"\n", "without-ticket must be one of \"refuse\", \"ipsec\"");
    refused("[[program]]\npath = \"/x\"\nspnego = \"ipsec\"\n", "spnego must be one of \"off\", \"ipsec-first\"");
    refused("[[level]]\nname = \"low\"\nmin-key-bits = 64\n", "128");
    refused("[[level]]\nname = \"best\"\n", "must be one of \"low\", \"medium\", \"high\"");
    refused("[[level]]\nmin-key-bits = 128\n", "name is missing");
    for (const char* suites : {"[]", "\"AES\"", "[1]"}) refused(std::string("[[level]]\nname = \"low\"\nsuites = ") + suites + "\n", "suites must be");
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{128}, good("[channel]\nmin-key-bits = 128\n").min_key_bits);
  }

  void identities_need_their_type() {
    for (const char* identity : {"client.example.org", "host:client", "fqdn:", "fqdn:*.example.org", "ipv4:300.1.1.1", "%any", ""})
      refused("[[vouch]]\npeer = \"" + std::string(identity) + "\"\nusers = []\n", "identity with its type");
  }

  void a_secret_has_one_holder() {
    const std::string one = "[[psk]]\nconnection = \"c\"\nheld-by = \"fqdn:a\"\n", other = "[[psk]]\nconnection = \"c\"\nheld-by = \"fqdn:b\"\n";
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, good(one).psks.size());
    refused(one + other, "f:4: [[psk]]: connection \"c\" has another [[psk]] already");
  }

  void vouched_users_may_be_mapped() {
    const Config config = good("[[vouch]]\npeer = \"fqdn:a\"\nusers = { alice = \"al\", \"bob.b\" = \"bob\" }\n");
    CPPUNIT_ASSERT(config.vouches.at(0).users == (std::map<std::string, std::string>{{"alice", "al"}, {"bob.b", "bob"}}));
    refused("[[vouch]]\npeer = \"fqdn:a\"\nusers = [\"x\", \"x\"]\n", "named twice");
    refused("[[vouch]]\npeer = \"fqdn:a\"\nusers = []\n[[vouch]]\npeer = \"fqdn:A\"\nusers = [\"x\"]\n", "another [[vouch]] already");
  }

  void local_names_cannot_be_read_as_something_else() {
    for (const char* name : {"", "a@b", "a/b", "a:b", "-a", "a b", "a\\nb"})
      refused("[[vouch]]\npeer = \"fqdn:a\"\nusers = { x = \"" + std::string(name) + "\" }\n", "users must be names");
    refused("[[service]]\nuser = \"a\"\nname = \"ldap@host\"\nport = 389\n", "without @");
  }

  void static_ends_are_two_hosts_told_once() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, good(kStatic).statics.size());
    refused(std::string(kStatic) + kStatic, "another [[static]] already");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, good(std::string(kStatic) + "reqid = 1\n" + kStatic + "reqid = 2\n").statics.size());
    std::string text = kStatic;
    for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
      std::string changed = text;
      changed.replace(changed.find("192.0.2.2"), 9, address);
      refused(changed, "two addresses of one family");
    }
    for (const char* address : {"0.0.0.0", "127.0.0.1", "::1", "::", "192.0.2.0/24", "b.example.org", "::ffff:192.0.2.2"}) {
      std::string changed = text;
      changed.replace(changed.find("192.0.2.2"), 9, address);
      refused(changed, "one host's IPv4 or IPv6 address");
    }
    std::string crossed = text;
    crossed.replace(crossed.find("192.0.2.1"), 9, "192.0.2.9");
    crossed.replace(crossed.find("192.0.2.2"), 9, "192.0.2.1");
    crossed.replace(crossed.find("192.0.2.9"), 9, "192.0.2.2");
    refused(text + crossed, "another [[static]] already");
  }

  void static_keys_are_not_exclusive_by_default() { CPPUNIT_ASSERT(!good(kStatic).statics.at(0).exclusive); }

  void vici_is_a_unix_socket_or_off() {
    CPPUNIT_ASSERT_EQUAL(std::string(), *good("[ike]\nvici = \"\"\n").vici);
    CPPUNIT_ASSERT_EQUAL(std::string("/run/v"), *good("[ike]\nvici = \"/run/v\"\n").vici);
    for (const std::string& path : {std::string("tcp://127.0.0.1:4502"), std::string("run/v"), "/" + std::string(107, 'x'), std::string("unix://")}) {
      if (path == "unix://") continue;
      refused("[ike]\nvici = \"" + path + "\"\n", "vici must be");
    }
    refused("[broker]\nsocket = \"gssd.sock\"\n", "absolute path");
  }

  void broken_toml_is_told_with_its_line() {
    CPPUNIT_ASSERT_EQUAL(std::string("f:2: "), faults("[broker]\nsocket = \n").substr(0, 5));
    refused("a = 1\na = 2\n", "f:2:");
    refused("\n[[[a]]]\n", "f:2:");
    refused(std::string("a = \"\0\"", 7), "f:1:");
    refused("\xff\xfe", "f:1:");
    refused(std::string((1 << 20) + 1, ' '), "1 MiB");
  }

  void characters_beyond_ascii_are_for_comments() {
    good("\t # f\xc3\xbcr alle\n");
    CPPUNIT_ASSERT_EQUAL(std::string("M\xc3\xbcller"), good("[[psk]]\nconnection = \"M\\u00fcller\"\nheld-by = \"fqdn:a\"\n").psks.at(0).connection);
    refused("# a\nkey\xcf\x9f = 1\n", "f:2: characters beyond ASCII");
    refused("[broker]\n\xc2\xa1", "f:2:");
    refused("[[psk]]\nconnection = \"M\xc3\xbcller\"\nheld-by = \"fqdn:a\"\n", "f:2:");
  }

  void faults_stay_on_one_line() {
    const std::string found = faults("[[program]]\npath = \"/x\"\nseal = \"a\\nb\\u001b[31m\"\n");
    CPPUNIT_ASSERT(found.find('\n') == std::string::npos && found.find('\x1b') == std::string::npos);
  }

  void files_are_checked_before_they_are_read() {
    char path[] = "/tmp/config-test-XXXXXX";
    const int fd = mkstemp(path);
    CPPUNIT_ASSERT(fd >= 0 && write(fd, "[channel]\nmin-key-bits = 256\n", 28) == 28);
    close(fd);
    const auto loaded = load_config(path);
    chmod(path, 0646);
    const auto open_to_all = load_config(path);
    unlink(path);
    CPPUNIT_ASSERT(loaded.ok() && loaded->min_key_bits == 256);
    CPPUNIT_ASSERT(!open_to_all.ok() && open_to_all.error().detail.find("anybody may write") != std::string::npos);
    CPPUNIT_ASSERT(!load_config("/nonexistent/gssd.conf").ok());
    CPPUNIT_ASSERT(!load_config("/tmp").ok());
    CPPUNIT_ASSERT(mkfifo(path, 0600) == 0);
    CPPUNIT_ASSERT(!load_config(path).ok());
    unlink(path);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ConfigTest);

}  // namespace gssipsec::broker::test
