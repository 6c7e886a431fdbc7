// SPDX-License-Identifier: MIT
// A credential with elements of Kerberos and of mechanism ipsec, as programs get that ask for all mechanisms. libgssapi asks all elements
// in turn, and often the last answer counts, which is ours: what a program hears of Kerberos must be the same as without us. It is asked
// in processes of their own, with the plugin, with its interposer too, and with neither.
#include <cppunit/extensions/HelperMacros.h>
#include <krb5/krb5.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

using protocol::KerberosUse;
using protocol::Verb;

constexpr char kTellIn[] = "UNION_TELL_IN";  // a process that is to tell, and where
constexpr char kNoCi[] = "\x2a\x85\x70\x2b\x0d\x1d", kUnknown[] = "\x2a\x03\x04\x05\x06";  // GSS_KRB5_CRED_NO_CI_FLAGS_X; nobody's

gss_OID_desc oid_of(const char* octets) { return {static_cast<OM_uint32>(strlen(octets)), const_cast<char*>(octets)}; }

struct TempDir {
  TempDir() {
    char name[] = "/tmp/union-test-XXXXXX";
    if (!mkdtemp(name)) throw std::runtime_error("mkdtemp");
    path = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path); }
  std::string path;
};

// With all elements that there are.
struct Union {
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
  Union() = default;
  Union(const Union&) = delete;
  Union& operator=(const Union&) = delete;
  ~Union() {
    OM_uint32 minor;
    gss_release_cred(&minor, &cred);
  }
  OM_uint32 acquire(gss_cred_usage_t usage, int fd, gss_OID_set mechs = GSS_C_NO_OID_SET) {
    const std::string number = std::to_string(fd);
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    return gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, mechs, usage, &store, &cred, nullptr, nullptr);
  }
  // One after the other, into one handle.
  OM_uint32 add(gss_OID mechanism, gss_cred_usage_t usage, int fd) {
    const std::string number = std::to_string(fd);
    gss_key_value_element_desc element{"ipsec-socket", number.c_str()};
    const gss_key_value_set_desc store{1, &element};
    OM_uint32 minor;
    return gss_add_cred_from(&minor, cred, GSS_C_NO_NAME, mechanism, usage, GSS_C_INDEFINITE, GSS_C_INDEFINITE, &store, cred ? nullptr : &cred, nullptr, nullptr, nullptr);
  }
  [[nodiscard]] bool has(gss_OID mechanism) const {
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    OM_uint32 minor;
    int present = 0;
    gss_inquire_cred(&minor, cred, nullptr, nullptr, nullptr, &mechs);
    gss_test_oid_set_member(&minor, mechanism, mechs, &present);
    gss_release_oid_set(&minor, &mechs);
    return present == 1;
  }
  OM_uint32 option(gss_OID_desc oid, const std::string& text) {
    gss_buffer_desc value = in(text);
    OM_uint32 minor;
    return gss_set_cred_option(&minor, &cred, &oid, &value);
  }
  void out_and_in() {
    Buffer token;
    OM_uint32 minor;
    tests::must({gss_export_cred(&minor, cred, &token), minor});
    gss_release_cred(&minor, &cred);
    tests::must({gss_import_cred(&minor, &token, &cred), minor});
  }
};

// The cache says for whom its tickets were got, which gives GSS_KRB5_GET_CRED_IMPERSONATOR something to tell.
void got_by(const std::string& impersonator, const std::string& cache_name) {
  krb5_context context = nullptr;
  krb5_ccache cache = nullptr;
  if (krb5_init_context(&context) != 0 || krb5_cc_resolve(context, cache_name.c_str(), &cache) != 0) throw std::runtime_error("credential cache");
  krb5_data data{0, static_cast<unsigned>(impersonator.size()), const_cast<char*>(impersonator.data())};
  const bool set = krb5_cc_set_config(context, cache, nullptr, "proxy_impersonator", &data) == 0;
  krb5_cc_close(context, cache);
  krb5_free_context(context);
  if (!set) throw std::runtime_error("krb5_cc_set_config");
}

// What a program hears, a line each.
class Told {
 public:
  Told(const support::Krb5Ticket& ticket, const std::string& directory) : ticket_(ticket), directory_(directory) {}

  std::string all() {
    for (const auto& [usage, name] : {std::pair{GSS_C_INITIATE, "initiate"}, {GSS_C_ACCEPT, "accept"}, {GSS_C_BOTH, "both"}})
      for (const bool added : {false, true}) {
        what_ = std::string(name) + (added ? ", added" : ", acquired");
        of_one(usage, added);
      }
    impersonated();
    return lines_;
  }

 private:
  void note(const std::string& question, const std::string& answer) { lines_ += what_ + ": " + question + ": " + answer + "\n"; }
  void note(const std::string& question, OM_uint32 major) {
    std::ostringstream hex;
    hex << std::hex << major;
    note(question, hex.str());
  }
  static std::string names(gss_OID_set set) {
    std::string text;
    OM_uint32 minor;
    for (std::size_t i = 0; set && i < set->count; ++i) {
      Buffer one;
      if (same_oid(&set->elements[i], mech())) continue;  // of ours something else is to be heard, of course
      gss_oid_to_str(&minor, &set->elements[i], &one);
      text += std::string(static_cast<const char*>(one.value), one.length - 1);
    }
    return text;
  }
  // libgssapi's list of what it stored has its own name for a mechanism with an interposer: that one's and then the mechanism's. Where
  // the plugin stands before SPNEGO that is told, too, though nothing of it was stored.
  static std::string stored_names(gss_OID_set set, gss_cred_usage_t usage) {
    const gss_OID_desc spnego{6, const_cast<char*>("\x2b\x06\x01\x05\x05\x02")};
    std::vector<gss_OID_desc> named(set ? set->elements : nullptr, set ? set->elements + set->count : nullptr);
    if (!named.empty() && octets(named.back()) == octets(*project_oid(8)) + octets(spnego)) {
      named.pop_back();
      usage = GSS_C_INITIATE;  // the last one's is told, and SPNEGO's is none
    }
    for (gss_OID_desc& each : named)
      if (octets(each) == octets(*project_oid(2)) + octets(*krb5_mech())) each = *krb5_mech();
    gss_OID_set_desc all{named.size(), named.data()};
    return names(&all) + std::to_string(usage);
  }
  static std::string octets(const gss_OID_desc& oid) { return {static_cast<const char*>(oid.elements), oid.length}; }

  void of_one(gss_cred_usage_t usage, bool added) {
    Union all;
    if (added) {
      note("first", all.add(krb5_mech(), usage, connection_.client.get()));
      (void)all.add(mech(), usage, connection_.client.get());
    } else {
      note("acquired", all.acquire(usage, connection_.client.get()));
    }
    about(all);
    options(all, !added);
    if (usage == GSS_C_INITIATE) stored(all);
    makes_contexts(all, usage);
    all.out_and_in();
    what_ += ", imported";
    about(all);
    makes_contexts(all, usage);
  }

  void about(Union& all) {
    GssName name, of_kerberos;
    OM_uint32 minor, lifetime = 0, initiator = 0, acceptor = 0;
    gss_cred_usage_t usage = 9, kerberos_usage = 9;
    gss_OID_set mechs = GSS_C_NO_OID_SET;
    note("inquired", gss_inquire_cred(&minor, all.cred, name.out(), &lifetime, &usage, &mechs));
    note("name", name.text() + " usage " + std::to_string(usage) + (lifetime > 0 ? " lives, " : " is dead, ") + names(mechs));
    gss_release_oid_set(&minor, &mechs);
    note("inquired by mechanism", gss_inquire_cred_by_mech(&minor, all.cred, krb5_mech(), of_kerberos.out(), &initiator, &acceptor, &kerberos_usage));
    note("Kerberos' name", of_kerberos.text() + " usage " + std::to_string(kerberos_usage) + " " + std::to_string(initiator > 0) + std::to_string(acceptor > 0));
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    note("impersonator", gss_inquire_cred_by_oid(&minor, all.cred, GSS_KRB5_GET_CRED_IMPERSONATOR, &set));
    for (std::size_t i = 0; set && i < set->count; ++i) note("  is", std::string(static_cast<const char*>(set->elements[i].value), set->elements[i].length));
    gss_release_buffer_set(&minor, &set);
  }

  void impersonated() {
    const std::string cache = directory_ + "/impersonated";
    std::filesystem::copy_file(ticket_.ccache().substr(sizeof "FILE:" - 1), cache);
    got_by("host/proxy.example.org@EXAMPLE.ORG", "FILE:" + cache);
    setenv("KRB5CCNAME", ("FILE:" + cache).c_str(), 1);
    what_ = "impersonated";
    Union all;
    note("acquired", all.acquire(GSS_C_INITIATE, connection_.client.get()));
    about(all);
    all.out_and_in();
    about(all);
    setenv("KRB5CCNAME", ticket_.ccache().c_str(), 1);
  }

  void options(Union& all, bool has_spnego) {
    note("no integrity of its own", all.option(oid_of(kNoCi), ""));
    note("unknown option", all.option(oid_of(kUnknown), "x"));
    gss_OID_set_desc kerberos{1, krb5_mech()};
    OM_uint32 minor;
    if (has_spnego) note("negotiates Kerberos alone", gss_set_neg_mechs(&minor, all.cred, &kerberos));
  }

  void stored(Union& all) {
    const std::string cache = "FILE:" + directory_ + "/stored";
    gss_key_value_element_desc element{"ccache", cache.c_str()};
    const gss_key_value_set_desc store{1, &element};
    for (gss_OID mechanism : {static_cast<gss_OID>(GSS_C_NO_OID), krb5_mech()}) {
      const std::string which = mechanism ? "Kerberos" : "all";
      OM_uint32 minor;
      gss_OID_set elements = GSS_C_NO_OID_SET;
      gss_cred_usage_t usage = 9;
      note("stored into, " + which, gss_store_cred_into(&minor, all.cred, GSS_C_INITIATE, mechanism, 1, 0, &store, &elements, &usage));
      note("  elements", stored_names(elements, usage));
      int ours = 0;
      if (elements) gss_test_oid_set_member(&minor, mech(), elements, &ours);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("ours among what was stored", 0, ours);
      gss_release_oid_set(&minor, &elements);
      note("stored, without a list, " + which, gss_store_cred_into(&minor, all.cred, GSS_C_INITIATE, mechanism, 1, 0, &store, nullptr, nullptr));
      note("  whose", principal_of(cache));
      setenv("KRB5CCNAME", ("FILE:" + directory_ + "/default").c_str(), 1);
      note("stored as default, " + which, gss_store_cred(&minor, all.cred, GSS_C_INITIATE, mechanism, 1, 1, nullptr, nullptr));
      note("  whose", principal_of("FILE:" + directory_ + "/default"));
      setenv("KRB5CCNAME", ticket_.ccache().c_str(), 1);
      std::filesystem::remove(directory_ + "/stored"), std::filesystem::remove(directory_ + "/default");
    }
  }
  static std::string principal_of(const std::string& cache_name) {
    krb5_context context = nullptr;
    krb5_ccache cache = nullptr;
    krb5_principal principal = nullptr;
    char* text = nullptr;
    std::string told = "nobody's";
    if (krb5_init_context(&context) == 0 && krb5_cc_resolve(context, cache_name.c_str(), &cache) == 0 &&
        krb5_cc_get_principal(context, cache, &principal) == 0 && krb5_unparse_name(context, principal, &text) == 0)
      told = text;
    krb5_free_unparsed_name(context, text);
    krb5_free_principal(context, principal);
    if (cache) krb5_cc_close(context, cache);
    krb5_free_context(context);
    return told;
  }

  void makes_contexts(Union& all, gss_cred_usage_t usage) {
    KerberosPair pair;
    pair.names_sockets = false;
    if (usage != GSS_C_ACCEPT) std::swap(pair.initiator.kerberos.cred, all.cred);
    if (usage != GSS_C_INITIATE) std::swap(pair.acceptor.kerberos.cred, all.cred);
    pair.request = GSS_C_MUTUAL_FLAG;
    std::string token;
    OM_uint32 major = GSS_S_COMPLETE;
    for (int leg = 0; leg < 3 && !GSS_ERROR(major); ++leg) {
      major = leg % 2 == 0 ? pair.initiator.begin(pair.target.get(), pair.request, token).major : pair.acceptor.take(token).major;
      note("call " + std::to_string(leg), major);
    }
    note("flags", pair.initiator.flags);
    note("source", pair.acceptor.source.text());
    if (usage != GSS_C_INITIATE) std::swap(pair.acceptor.kerberos.cred, all.cred);
    if (usage != GSS_C_ACCEPT) std::swap(pair.initiator.kerberos.cred, all.cred);
  }

  const support::Krb5Ticket& ticket_;
  std::string directory_, what_, lines_;
  Connection connection_;
};

class UnionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(UnionTest);
  CPPUNIT_TEST(kerberos_is_heard_as_without_us);
  CPPUNIT_TEST(an_option_of_ours_reaches_both_elements);
  CPPUNIT_TEST(an_option_of_kerberos_leaves_ours_alone);
  CPPUNIT_TEST(both_elements_survive_export_and_import);
  CPPUNIT_TEST(what_nobody_knows_is_answered_by_nothing);
  CPPUNIT_TEST(who_has_nothing_to_negotiate_hinders_nobody);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;
  std::unique_ptr<support::Krb5Ticket> ticket_;

 public:
  void setUp() override {
    twin_ = std::make_unique<TwinBroker>();
    ticket_ = std::make_unique<support::Krb5Ticket>();
    ticket_->use();
  }
  void tearDown() override {
    for (const char* name : {"KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME", "KRB5RCACHEDIR"}) unsetenv(name);
    ticket_.reset();
    twin_.reset();
  }

  // The first process that runs this starts the others, which tell.
  void kerberos_is_heard_as_without_us() {
    if (const char* file = getenv(kTellIn)) {
      const TempDir own;
      std::ofstream(file) << Told(*ticket_, own.path).all();
      return;
    }
    const TempDir directory;
    std::ofstream(directory.path + "/plugin.conf") << first_line_of(getenv("GSS_MECH_CONFIG"));
    const std::string without = told_with("/dev/null", directory.path);
    for (const char* must_be : {"impersonated:   is: host/proxy.example.org@EXAMPLE.ORG\n", "initiate, acquired: stored into, all: 0\n", "  whose: user@EXAMPLE.ORG\n", "both, added, imported: call 2: 0\n"})
      CPPUNIT_ASSERT_MESSAGE(must_be + without, without.find(must_be) != std::string::npos);
    for (const std::string& config : {directory.path + "/plugin.conf", std::string(getenv("GSS_MECH_CONFIG"))})
      CPPUNIT_ASSERT_EQUAL_MESSAGE(config, std::string(), difference(without, told_with(config, directory.path)));
  }

  // The Kerberos element is the interposer's, which takes the socket, too.
  void an_option_of_ours_reaches_both_elements() {
    twin_->knobs.initiator_use = KerberosUse::bind;
    const Connection before;
    Pair pair;
    Union all;
    must(all.acquire(GSS_C_INITIATE, before.client.get()));
    CPPUNIT_ASSERT(all.has(krb5_mech()) && all.has(mech()));
    must(all.option(*project_oid(5), std::to_string(pair.connection.client.get())));
    must(all.option(oid_of(kNoCi), ""));  // of Kerberos, after it
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, all.option(*project_oid(5), "x"));
    KerberosEnd kerberos;
    std::string token;
    std::swap(kerberos.kerberos.cred, all.cred);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, kerberos.begin(GssName(support::Krb5Ticket::kService, GSS_C_NT_HOSTBASED_SERVICE).get(), GSS_C_MUTUAL_FLAG, token).major);
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::bind));
    std::swap(kerberos.kerberos.cred, *pair.initiator.credential.out());
    pair.must_shake();
  }

  void an_option_of_kerberos_leaves_ours_alone() {
    Pair pair;
    Union all;
    must(all.acquire(GSS_C_INITIATE, pair.connection.client.get()));
    must(all.option(oid_of(kNoCi), ""));
    std::swap(*pair.initiator.credential.out(), all.cred);
    pair.must_shake();
    CPPUNIT_ASSERT(pair.initiator.flags & GSS_C_INTEG_FLAG && pair.initiator.flags & GSS_C_CONF_FLAG);
  }

  void both_elements_survive_export_and_import() {
    Pair pair;
    Union initiator, acceptor;
    gss_OID_desc both[] = {*krb5_mech(), *mech()};
    gss_OID_set_desc mechs{2, both};
    must(initiator.acquire(GSS_C_INITIATE, pair.connection.client.get(), &mechs));
    must(acceptor.acquire(GSS_C_ACCEPT, pair.connection.server.get(), &mechs));
    for (Union* all : {&initiator, &acceptor}) {
      all->out_and_in();
      CPPUNIT_ASSERT(all->has(krb5_mech()) && all->has(mech()));
    }
    std::swap(*pair.initiator.credential.out(), initiator.cred);
    std::swap(*pair.acceptor.credential.out(), acceptor.cred);
    pair.must_shake();
  }

  // Not as without us: of what it is asked, our element cannot know whether another one has answered it.
  void what_nobody_knows_is_answered_by_nothing() {
    const Connection connection;
    Union all;
    must(all.acquire(GSS_C_INITIATE, connection.client.get()));
    for (gss_OID_desc asked : {*project_oid(5), oid_of(kUnknown)}) {
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      OM_uint32 minor;
      must(gss_inquire_cred_by_oid(&minor, all.cred, &asked, &set));
      CPPUNIT_ASSERT(set && set->count == 0);
      gss_release_buffer_set(&minor, &set);
    }
  }

  // Not as without us either: it does not know whether SPNEGO's element, which would take the set, comes after it. The set counts there.
  void who_has_nothing_to_negotiate_hinders_nobody() {
    const Connection connection;
    gss_OID_set_desc ipsec{1, mech()};
    Union alone, all;
    must(alone.add(krb5_mech(), GSS_C_INITIATE, connection.client.get()));
    must(all.acquire(GSS_C_INITIATE, connection.client.get()));
    CPPUNIT_ASSERT(all.has(spnego_mech()));
    OM_uint32 minor;
    must(gss_set_neg_mechs(&minor, alone.cred, &ipsec));
    must(gss_set_neg_mechs(&minor, all.cred, &ipsec));
    KerberosEnd end;
    end.mechanism = spnego_mech();
    std::string token;
    std::swap(end.kerberos.cred, all.cred);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTINUE_NEEDED}, end.begin(GssName(support::Krb5Ticket::kService, GSS_C_NT_HOSTBASED_SERVICE).get(), GSS_C_MUTUAL_FLAG, token).major);
    const auto offers = [&](gss_OID oid) { return token.find(std::string(static_cast<const char*>(oid->elements), oid->length)) != std::string::npos; };
    CPPUNIT_ASSERT(offers(mech()) && !offers(krb5_mech()));
  }

 private:
  static void must(OM_uint32 major) { CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, major); }

  static std::string difference(const std::string& wanted, const std::string& found) {
    std::istringstream left(wanted), right(found);
    std::string all;
    while (left || right) {
      std::string one, other;
      std::getline(left, one), std::getline(right, other);
      if (one != other) all += "\n- " + one + "\n+ " + other;
    }
    return all;
  }

  static std::string first_line_of(const char* config) {
    std::ifstream file(config);
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("ipsec ")) return line + "\n";
    throw std::runtime_error(std::string(config) + " has no mechanism ipsec");
  }

  static std::string told_with(const std::string& config, const std::string& directory) {
    const std::string file = directory + "/told";
    const pid_t child = fork();
    if (child == 0) {
      setenv("GSS_MECH_CONFIG", config.c_str(), 1);
      setenv(kTellIn, file.c_str(), 1);
      if (!freopen("/dev/null", "w", stdout)) _exit(126);  // what it counts is not the caller's
      execl("/proc/self/exe", "glue", "--filter", "UnionTest::kerberos_is_heard_as_without_us", nullptr);
      _exit(127);
    }
    int status = 0;
    CPPUNIT_ASSERT(child > 0 && waitpid(child, &status, 0) == child);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("with " + config, 0, status);
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    std::filesystem::remove(file);
    return text.str();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UnionTest);

}  // namespace
}  // namespace gssipsec::tests
