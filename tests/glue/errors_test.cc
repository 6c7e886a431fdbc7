// SPDX-License-Identifier: MIT
// Every minor code that a program can meet, met: each is provoked through libgssapi, its text displayed and compared. `real`:
// by what the code is about. `told`: the broker finds it, and only that it comes through is shown here; the broker's own
// tests provoke it there, and tests/support/check_errors.py sees that they do.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>

#include "tests/glue/gss_support.h"
#include "tests/support/twin_broker.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::LatchState;

const std::string kDawn = "attack at dawn";

class ErrorsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ErrorsTest);
  CPPUNIT_TEST(every_code_is_provoked_and_explained);
  CPPUNIT_TEST_SUITE_END();

  using Provoke = std::function<Status()>;
  std::unique_ptr<TwinBroker> twin_;
  std::map<Code, Provoke> real_;

  static Status shaken(const std::function<void(Pair&)>& prepare = {}) {
    Pair pair;
    if (prepare) prepare(pair);
    return pair.shake();
  }
  static Status met(const std::function<Status(Pair&)>& body) {
    Pair pair;
    pair.must_shake();
    return body(pair);
  }
  static Status acquire(const std::string& fd) {
    GssCredential credential;
    return credential.acquire(GSS_C_INITIATE, {{"ipsec-socket", fd}});
  }
  static Status import(const std::string& text, gss_OID type) {
    gss_buffer_desc buffer = in(text);
    GssName name, own;
    Status status;
    gss_import_name(&status.minor, &buffer, type, name.out());
    status.major = gss_canonicalize_name(&status.minor, name.get(), mech(), own.out());
    return status;
  }
  using Change = std::function<void(std::string&)>;
  // What the acceptor makes of HELLOs, each changed, from whomever. `token` becomes its last one.
  static Status answered(End& initiator, gss_name_t target, End& acceptor, std::string& token, const Change& change = {}) {
    Status status{GSS_S_CONTINUE_NEEDED, 0};
    while (status.major == GSS_S_CONTINUE_NEEDED) {
      (void)initiator.init(target, kUsualFlags, token);
      if (change) change(token);
      status = acceptor.accept(token);
    }
    return status;
  }
  static Status accepted(const Change& change) {
    Pair pair;
    std::string token;
    return answered(pair.initiator, pair.target.get(), pair.acceptor, token, change);
  }
  // Where HELLO begins, behind the frame of a first token.
  static std::size_t body_of(const std::string& token) { return token[0] == 0x60 ? token.find('\x7f') + 2 : 0; }
  Status told_of(const std::function<void(TwinKnobs&)>& set) {
    set(twin_->knobs);
    return shaken();
  }

  void about_peers_and_names() {
    real_[Code::PEER_UNAUTHENTICATED] = [this] { return told_of([](TwinKnobs& knobs) { knobs.peer_authenticated = false; }); };
    real_[Code::WRONG_PEER] = [] {
      Pair pair("test@elsewhere.example.org");
      return pair.shake();
    };
    real_[Code::SERVICE_DENIED] = [] {
      const GssName service("forbidden@server.example.org", GSS_C_NT_HOSTBASED_SERVICE);
      GssCredential credential;
      return credential.acquire(GSS_C_ACCEPT, {}, service.get());
    };
    real_[Code::BAD_NAME] = [] { return import("root@REALM", project_oid(3)); };
    real_[Code::NAME_TYPE] = [] { return import("0", GSS_C_NT_STRING_UID_NAME); };
    real_[Code::NO_LOCAL_NAME] = [] {
      return met([](Pair& pair) {
        Buffer user;
        Status status;
        status.major = gss_localname(&status.minor, pair.acceptor.source.get(), mech(), &user);
        return status;
      });
    };
    real_[Code::ANONYMOUS_REFUSED] = [this] {
      twin_->knobs.initiator_anonymous = true;
      return accepted({});
    };
  }

  void about_tokens() {
    real_[Code::BAD_TOKEN] = [] { return accepted([](std::string& token) { token.resize(token.size() - 1); }); };
    real_[Code::TOKEN_VERSION] = [] { return accepted([](std::string& token) { token[body_of(token) + 1] = 9; }); };
    real_[Code::TOKEN_TOO_LONG] = [] { return accepted([](std::string& token) { token.append(17000, 'x'); }); };
    real_[Code::BAD_MAC] = [] { return accepted([](std::string& token) { token.back() ^= 1; }); };
    real_[Code::WRONG_FLOW] = [] {
      Pair one, other;
      std::string token;
      return answered(one.initiator, one.target.get(), other.acceptor, token);
    };
    real_[Code::WRONG_TRANSCRIPT] = [this] {
      twin_->knobs.retries = 1;
      Pair pair;
      std::string first, retry;
      (void)pair.initiator.init(pair.target.get(), kUsualFlags, first);
      std::string token = first;
      (void)pair.acceptor.accept(token);
      // The first HELLO again, without its frame, in the place of a new one.
      token = first.substr(body_of(first));
      return pair.acceptor.accept(token);
    };
    real_[Code::NOT_CONFIRMED] = [] {
      int leg = 0;
      return accepted([leg](std::string& token) mutable { token.back() ^= leg++ == 1 ? 1 : 0; });
    };
    real_[Code::BAD_BINDINGS] = [] { return accepted_with_bindings(); };
    real_[Code::PEER_REFUSED] = [this] {
      twin_->knobs.accept = Code::UNKNOWN;
      Pair pair;
      std::string token;
      (void)answered(pair.initiator, pair.target.get(), pair.acceptor, token);
      return pair.initiator.init(pair.target.get(), kUsualFlags, token);
    };
    real_[Code::TOO_MANY_RETRIES] = [this] { return told_of([](TwinKnobs& knobs) { knobs.retries = 3; }); };
  }

  static Status accepted_with_bindings() {
    Pair pair;
    pair.initiator.bindings = "tls-unique:one";
    pair.acceptor.bindings = "tls-unique:two";
    return pair.shake();
  }

  void about_messages() {
    real_[Code::WRONG_ROLE] = [] {
      return met([](Pair& pair) {
        std::string token, text;
        (void)pair.initiator.wrap(kDawn, token);
        return pair.initiator.unwrap(token, text);
      });
    };
    real_[Code::BAD_MIC] = [] {
      return met([](Pair& pair) {
        std::string mic;
        (void)pair.initiator.mic(kDawn, mic);
        return pair.acceptor.verify("attack at dusk", mic);
      });
    };
    real_[Code::OUT_OF_SEQUENCE] = [] {
      return met([](Pair& pair) {
        std::string mic;
        (void)pair.initiator.mic(kDawn, mic);
        (void)pair.acceptor.verify(kDawn, mic);
        return pair.acceptor.verify(kDawn, mic);
      });
    };
    real_[Code::LATCH_BROKEN] = [this] {
      return met([this](Pair& pair) {
        twin_->set_latches(LatchState::broken);
        std::string token;
        return pair.initiator.wrap(kDawn, token);
      });
    };
    real_[Code::LATCH_STALE] = [this] {
      return met([this](Pair& pair) {
        std::string token, text;
        (void)pair.acceptor.wrap(kDawn, token);
        twin_->set_latches(LatchState::stale);
        twin_->knobs.latch = LatchState::stale;
        return pair.initiator.unwrap(token, text);
      });
    };
    real_[Code::NOT_LATCHABLE] = [this] {
      return met([this](Pair& pair) {
        std::string token, text;
        (void)pair.acceptor.wrap(kDawn, token);
        twin_->set_latches(LatchState::monitored);
        twin_->knobs.latch = LatchState::monitored;
        return pair.initiator.unwrap(token, text);
      });
    };
    real_[Code::EXPIRED] = [this] {
      twin_->knobs.lifetime = 1;
      return met([](Pair& pair) {
        usleep(1100000);
        std::string token;
        return pair.initiator.wrap(kDawn, token);
      });
    };
    real_[Code::BAD_QOP] = [] {
      return met([](Pair& pair) {
        std::string token;
        return pair.initiator.wrap(kDawn, token, 1, 7);
      });
    };
    real_[Code::NO_CONTEXT] = [] {
      Pair pair;
      std::string token;
      (void)pair.initiator.init(pair.target.get(), kUsualFlags, token);
      return pair.initiator.wrap(kDawn, token);
    };
  }

  void about_the_broker() {
    real_[Code::NO_BROKER] = [this] {
      twin_.reset();
      setenv("GSS_IPSEC_BROKER", "/nonexistent/broker", 1);
      return acquire_accept();
    };
    real_[Code::BROKER_TIMEOUT] = [this] {
      twin_.reset();
      FakeBroker::Options options;
      options.accept = false;
      const FakeBroker silent(std::move(options));
      return acquire_accept();
    };
    real_[Code::FALSE_BROKER] = [this] {
      twin_.reset();
      FakeBroker::Options options;
      options.listener = 65534;
      const FakeBroker other(std::move(options));
      return acquire_accept();
    };
    real_[Code::PROTOCOL_VERSION] = [this] {
      twin_.reset();
      FakeBroker::Options options;
      options.hello = [](FakeBroker&, FakeRequest& request) { FakeBroker::answer(request, protocol::encode(protocol::HelloReply{9, 1, 10, true})); };
      const FakeBroker later(std::move(options));
      return acquire_accept();
    };
    real_[Code::BAD_MESSAGE] = [this] { return told_of([](TwinKnobs& knobs) { knobs.bad_names = true; }); };
  }
  static Status acquire_accept() {
    GssCredential credential;
    return credential.acquire(GSS_C_ACCEPT, {});
  }

  void about_sockets() {
    real_[Code::NO_SOCKET] = [] {
      GssCredential credential;
      return credential.acquire(GSS_C_INITIATE, {});
    };
    real_[Code::NOT_A_SOCKET] = [] {
      const base::UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
      return acquire(std::to_string(file.get()));
    };
    real_[Code::UNSUPPORTED_SOCKET] = [] {
      const base::UniqueFd lite(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE)), raw(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253));
      return acquire(std::to_string(lite ? lite.get() : raw.get()));
    };
    real_[Code::NOT_CONNECTED] = [] {
      const base::UniqueFd fresh(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      return acquire(std::to_string(fresh.get()));
    };
    real_[Code::SOCKET_CHANGED] = [] {
      return shaken([](Pair& pair) {
        const Connection other;
        dup2(other.client.get(), pair.connection.client.get());
      });
    };
  }

  void about_calls() {
    real_[Code::BAD_ARGUMENT] = [] { return acquire("five"); };
    real_[Code::UNAVAILABLE] = [] {
      return met([](Pair& pair) {
        gss_buffer_desc value{0, nullptr};
        Status status;
        status.major = gss_set_sec_context_option(&status.minor, &pair.initiator.context, project_oid(9), &value);
        return status;
      });
    };
    real_[Code::WRONG_USAGE] = [] {
      return shaken([](Pair& pair) { std::swap(*pair.initiator.credential.out(), *pair.acceptor.credential.out()); });
    };
  }

  // What only the broker can find out.
  [[nodiscard]] Status told(Code code) {
    twin_->knobs.initiate = code;
    return shaken();
  }

  static constexpr Code kTold[] = {
      Code::NO_POLICY,   Code::ONE_DIRECTION,    Code::OPTIONAL_POLICY, Code::NO_SA,         Code::BYPASS,          Code::BLOCKED,
      Code::UNKNOWN,     Code::LOOPBACK,         Code::NOT_END_TO_END,  Code::STARTED_IN_CLEAR, Code::NO_KEYS,      Code::WEAK_KEYS,
      Code::SA_GONE,     Code::PEER_UNKNOWN,     Code::WEAK,            Code::LIMIT,         Code::PEER_NOT_LATCHED, Code::BUSY,
      Code::NOT_ALLOWED, Code::CREDENTIALS_CHANGED, Code::OTHER_NAMESPACE, Code::NOT_OWNER,  Code::WRONG_SIDE,      Code::INTERNAL,
      Code::NO_MEMORY,   Code::BAD_CONFIG,       Code::NETLINK,         Code::NETLINK_MESSAGE, Code::NETLINK_LOST,  Code::IKE_SOURCE,
      Code::IKE_MESSAGE, Code::SYSTEM,           Code::LATCH_IN_USE,    Code::LATCH_OF_OTHER, Code::NO_LATCH, Code::OWN_POLICY,
      Code::ALREADY_CONNECTED, Code::NO_ENDPOINT};

  // Kerberos over the channel alone has these: kerberos_test.cc provokes and displays them.
  static bool is_kerberos(Code code) { return code == Code::SWITCH_FORGED || code == Code::NOT_SWITCHED; }

  void check(Code code, const Provoke& provoke) {
    twin_ = std::make_unique<TwinBroker>();
    const Status status = provoke();
    const std::string said = message_of(status), name = base::code_name(code);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(name + ": " + said, minor_of(code), status.minor);
    CPPUNIT_ASSERT_MESSAGE(name + ": " + said, status.major != GSS_S_COMPLETE);
    CPPUNIT_ASSERT_MESSAGE(name + ": " + said, said.find(std::string("/ ") + base::code_text(code)) != std::string::npos);
  }

 public:
  void setUp() override {
    about_peers_and_names(), about_tokens(), about_messages(), about_the_broker(), about_sockets(), about_calls();
  }
  void tearDown() override { twin_.reset(); }

  void every_code_is_provoked_and_explained() {
    std::map<Code, Provoke> all = real_;
    for (const Code code : kTold) CPPUNIT_ASSERT_MESSAGE(base::code_name(code), all.emplace(code, [this, code] { return told(code); }).second);
#define GSS_IPSEC_ERROR(number, name, text) CPPUNIT_ASSERT_MESSAGE("not provoked: " #name, all.count(Code::name) == 1 || is_kerberos(Code::name));
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
    for (const auto& [code, provoke] : all) check(code, provoke);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ErrorsTest);

}  // namespace
}  // namespace gssipsec::tests
