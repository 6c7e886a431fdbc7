// SPDX-License-Identifier: MIT
// What every function of the sockets-layer API refuses, by a table: each pointer null, each token of another kind, each kind of
// descriptor that is none of its own. A function of the export list that has no row fails, too.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "client/connect.h"
#include "tests/support/source_dir.h"
#include "tests/unit/ipsecapi/reports.h"

namespace gssipsec::api {
namespace {

using protocol::Verb;

// What a function is given. Handles first.
enum Slot { kProtection, kOtherProtection, kIdentity, kOtherIdentity, kLatch, kSubscription, kToken, kAddress, kMessage, kEvents, kRoom, kSize, kOut, kSlots };

struct Given {
  int fd = -1;
  std::array<void*, kSlots> at{};
  template <typename T>
  [[nodiscard]] T as(Slot slot) const { return static_cast<T>(at[slot]); }
};

enum class Wants { no_socket, connected, connected_or_listening, listener, any_internet };

struct Row {
  const char* function;
  Wants wants;
  std::vector<Slot> needed, optional;
  ssize_t (*call)(const Given&);
};

constexpr socklen_t kAddressSize = sizeof(sockaddr_in);
const Row kRows[] = {
    {"ipsec_query", Wants::connected, {kRoom}, {}, [](const Given& g) -> ssize_t { return ipsec_query(g.fd, g.as<ipsec_security_info*>(kRoom)); }},
    {"ipsec_get_peer", Wants::connected, {kRoom}, {}, [](const Given& g) -> ssize_t { return ipsec_get_peer(g.fd, g.as<char*>(kRoom), IPSEC_PEER_SIZE); }},
    {"ipsec_get_socket_pToken", Wants::connected, {kProtection}, {},
     [](const Given& g) -> ssize_t { return ipsec_get_socket_pToken(g.fd, g.as<ipsec_pToken_t>(kProtection)); }},
    {"ipsec_get_msg_pToken", Wants::any_internet, {kMessage, kProtection}, {},
     [](const Given& g) -> ssize_t { return ipsec_get_msg_pToken(g.fd, g.as<msghdr*>(kMessage), g.as<ipsec_pToken_t>(kProtection)); }},
    {"ipsec_export_template", Wants::no_socket, {kProtection, kSize}, {},
     [](const Given& g) -> ssize_t { return ipsec_export_template(g.as<ipsec_pToken_t>(kProtection), g.at[kRoom], g.as<size_t*>(kSize)); }},
    {"ipsec_import_template", Wants::no_socket, {kRoom, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_import_template(g.at[kRoom], 9, g.as<ipsec_pToken_t*>(kOut)); }},
    {"ipsec_free_pToken", Wants::no_socket, {}, {kProtection}, [](const Given& g) -> ssize_t { return ipsec_free_pToken(g.as<ipsec_pToken_t>(kProtection)); }},
    {"ipsec_dup_pToken", Wants::no_socket, {kProtection, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_dup_pToken(g.as<ipsec_pToken_t>(kProtection), g.as<ipsec_pToken_t*>(kOut)); }},
    {"ipsec_cmp_pToken", Wants::no_socket, {kProtection, kOtherProtection}, {},
     [](const Given& g) -> ssize_t { return ipsec_cmp_pToken(g.as<ipsec_pToken_t>(kProtection), g.as<ipsec_pToken_t>(kOtherProtection)); }},
    {"ipsec_free_iToken", Wants::no_socket, {}, {kIdentity}, [](const Given& g) -> ssize_t { return ipsec_free_iToken(g.as<ipsec_iToken_t>(kIdentity)); }},
    {"ipsec_dup_iToken", Wants::no_socket, {kIdentity, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_dup_iToken(g.as<ipsec_iToken_t>(kIdentity), g.as<ipsec_iToken_t*>(kOut)); }},
    {"ipsec_cmp_iToken", Wants::no_socket, {kIdentity, kOtherIdentity}, {},
     [](const Given& g) -> ssize_t { return ipsec_cmp_iToken(g.as<ipsec_iToken_t>(kIdentity), g.as<ipsec_iToken_t>(kOtherIdentity)); }},
    {"ipsec_export_iToken", Wants::no_socket, {kIdentity, kSize}, {},
     [](const Given& g) -> ssize_t { return ipsec_export_iToken(g.as<ipsec_iToken_t>(kIdentity), g.at[kRoom], g.as<size_t*>(kSize)); }},
    {"ipsec_import_iToken", Wants::no_socket, {kRoom, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_import_iToken(g.at[kRoom], 9, g.as<ipsec_iToken_t*>(kOut)); }},
    {"ipsec_get_token_attr", Wants::no_socket, {kToken, kSize}, {},
     [](const Given& g) -> ssize_t { return ipsec_get_token_attr(g.at[kToken], IPSEC_API_ATTR_auditString, g.as<std::uint32_t*>(kSize), nullptr); }},
    {"ipsec_set_token_attr", Wants::no_socket, {kToken, kRoom}, {},
     [](const Given& g) -> ssize_t { return ipsec_set_token_attr(g.at[kToken], IPSEC_API_ATTR_keyBits, 4, g.at[kRoom]); }},
    {"ipsec_probe", Wants::any_internet, {kAddress, kProtection}, {},
     [](const Given& g) -> ssize_t { return ipsec_probe(g.fd, g.as<sockaddr*>(kAddress), kAddressSize, g.as<ipsec_pToken_t>(kProtection)); }},
    {"ipsec_cbinding", Wants::any_internet, {kAddress}, {}, [](const Given& g) -> ssize_t { return ipsec_cbinding(g.fd, g.as<sockaddr*>(kAddress), kAddressSize); }},
    {"ipsec_require", Wants::any_internet, {kAddress}, {kProtection},
     [](const Given& g) -> ssize_t { return ipsec_require(g.fd, g.as<sockaddr*>(kAddress), kAddressSize, g.as<ipsec_pToken_t>(kProtection)); }},
    {"ipsec_connect", Wants::any_internet, {kAddress, kOut}, {kProtection, kIdentity}, [](const Given& g) -> ssize_t {
       return ipsec_connect(g.fd, g.as<sockaddr*>(kAddress), kAddressSize, g.as<ipsec_pToken_t>(kProtection), g.as<ipsec_iToken_t>(kIdentity),
                            g.as<ipsec_latch_t*>(kOut));
     }},
    {"ipsec_create_connection_latch", Wants::connected, {kOut}, {kProtection, kIdentity}, [](const Given& g) -> ssize_t {
       return ipsec_create_connection_latch(g.fd, g.as<ipsec_pToken_t>(kProtection), g.as<ipsec_iToken_t>(kIdentity), g.as<ipsec_latch_t*>(kOut));
     }},
    {"ipsec_create_listener_latch", Wants::listener, {kAddress, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_create_listener_latch(g.fd, g.as<sockaddr*>(kAddress), kAddressSize, g.as<ipsec_latch_t*>(kOut)); }},
    {"ipsec_find_latch", Wants::connected_or_listening, {kOut}, {}, [](const Given& g) -> ssize_t { return ipsec_find_latch(g.fd, g.as<ipsec_latch_t*>(kOut)); }},
    {"ipsec_inquire_latch", Wants::no_socket, {kLatch, kRoom}, {kProtection}, [](const Given& g) -> ssize_t {
       return ipsec_inquire_latch(g.as<ipsec_latch_t>(kLatch), g.as<ipsec_latch_state*>(kRoom), g.as<ipsec_pToken_t>(kProtection));
     }},
    {"ipsec_release_latch", Wants::no_socket, {kLatch}, {}, [](const Given& g) -> ssize_t { return ipsec_release_latch(g.as<ipsec_latch_t>(kLatch)); }},
    {"ipsec_free_latch", Wants::no_socket, {}, {kLatch}, [](const Given& g) -> ssize_t { return ipsec_free_latch(g.as<ipsec_latch_t>(kLatch)); }},
    {"ipsec_set_break_policy", Wants::no_socket, {kLatch}, {},
     [](const Given& g) -> ssize_t { return ipsec_set_break_policy(g.as<ipsec_latch_t>(kLatch), IPSEC_ON_BREAK_DROP); }},
    {"ipsec_cbinding_types", Wants::connected, {kSize}, {},
     [](const Given& g) -> ssize_t { return ipsec_cbinding_types(g.fd, g.as<char*>(kRoom), g.as<size_t*>(kSize)); }},
    {"ipsec_cbinding_data", Wants::connected, {kSize}, {},
     [](const Given& g) -> ssize_t { return ipsec_cbinding_data(g.fd, IPSEC_CB_EXPORTER_NAME, 1, g.at[kRoom], g.as<size_t*>(kSize)); }},
    {"ipsec_event_subscribe", Wants::connected, {kEvents, kOut}, {},
     [](const Given& g) -> ssize_t { return ipsec_event_subscribe(g.fd, g.as<ipsec_event*>(kEvents), 1, g.as<ipsec_subscription_t*>(kOut)); }},
    {"ipsec_event_fd", Wants::no_socket, {kSubscription}, {}, [](const Given& g) -> ssize_t { return ipsec_event_fd(g.as<ipsec_subscription_t>(kSubscription)); }},
    {"ipsec_event_next", Wants::no_socket, {kSubscription, kRoom}, {},
     [](const Given& g) -> ssize_t { return ipsec_event_next(g.as<ipsec_subscription_t>(kSubscription), g.as<ipsec_notification*>(kRoom)); }},
    {"ipsec_recvmsg", Wants::no_socket, {kSubscription, kMessage}, {},
     [](const Given& g) -> ssize_t { return ipsec_recvmsg(g.as<ipsec_subscription_t>(kSubscription), g.as<msghdr*>(kMessage), MSG_DONTWAIT); }},
    {"ipsec_event_free", Wants::no_socket, {}, {kSubscription}, [](const Given& g) -> ssize_t { return ipsec_event_free(g.as<ipsec_subscription_t>(kSubscription)); }},
};
// Whatever they are given, they do not fail by it.
const std::set<std::string> kNeverRefuse = {"ipsec_api_version", "ipsec_capabilities", "ipsec_create_iToken", "ipsec_create_pToken", "ipsec_get_error", "ipsec_strerror"};

bool takes(Slot slot, Slot handle) {
  switch (slot) {
    case kOtherProtection: return handle == kProtection;
    case kOtherIdentity: return handle == kIdentity;
    case kToken: return handle == kProtection || handle == kIdentity;
    default: return slot == handle;
  }
}

class ApiContractTest : public ApiFixture {
  CPPUNIT_TEST_SUITE(ApiContractTest);
  CPPUNIT_TEST(every_function_has_a_row);
  CPPUNIT_TEST(null_is_refused);
  CPPUNIT_TEST(tokens_of_another_kind_are_refused);
  CPPUNIT_TEST(descriptors_of_another_kind_are_refused);
  CPPUNIT_TEST(a_descriptor_is_as_good_as_its_copy);
  CPPUNIT_TEST(a_hundred_threads_see_their_own_peers);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    ApiFixture::setUp();
    const ipsec_event all{IPSEC_SN_ALL, 1};
    protection_.reset(ipsec_create_pToken()), identity_ = wanted_identity("fqdn:server.example.org");
    CPPUNIT_ASSERT_EQUAL(0, ipsec_create_connection_latch(fd(), nullptr, nullptr, &latch_));
    CPPUNIT_ASSERT_EQUAL(0, ipsec_event_subscribe(fd(), &all, 1, &subscription_));
    address_ = kernel::testing::name_of(pair.listener.get());
  }
  void tearDown() override {
    ipsec_free_latch(latch_), ipsec_event_free(subscription_);
    protection_.reset(), identity_.reset();
    ApiFixture::tearDown();
  }

  void every_function_has_a_row() {
    std::set<std::string> rows = kNeverRefuse, exported;
    for (const Row& row : kRows) rows.insert(row.function);
    std::ifstream map(support::source_path("ipsecapi/ipsecapi.map"));
    for (std::string word; map >> word;)
      if (word.starts_with("ipsec_") && word.ends_with(';')) exported.insert(word.substr(0, word.size() - 1));
    for (const std::string& name : exported) CPPUNIT_ASSERT_MESSAGE(name + " has no row here", rows.contains(name));
    CPPUNIT_ASSERT_EQUAL(exported.size(), rows.size());
  }

  void null_is_refused() {
    for (const Row& row : kRows)
      for (const Slot slot : row.needed) refused(row, slot, nullptr, "null");
  }

  void tokens_of_another_kind_are_refused() {
    const Given right = given();
    for (const Row& row : kRows) {
      for (const std::vector<Slot>* slots : {&row.needed, &row.optional}) {
        for (const Slot slot : *slots) {
          if (slot > kToken) continue;
          for (const Slot handle : {kProtection, kIdentity, kLatch, kSubscription})
            if (!takes(slot, handle)) refused(row, slot, right.at[handle], "a token of another kind");
          refused(row, slot, static_cast<char*>(right.at[slot]) + 1, "no token at all");
        }
      }
    }
  }

  void descriptors_of_another_kind_are_refused() {
    using kernel::testing::make_socket;
    int pipes[2], pairs[2];
    CPPUNIT_ASSERT(pipe2(pipes, O_CLOEXEC) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs) == 0);
    const base::UniqueFd ends[] = {base::UniqueFd(pipes[0]), base::UniqueFd(pipes[1]), base::UniqueFd(pairs[0]), base::UniqueFd(pairs[1])};
    const base::UniqueFd file(open("/dev/null", O_RDWR | O_CLOEXEC)), named = unix_listener();
    const base::UniqueFd loose = make_socket(AF_INET, SOCK_STREAM), datagrams = make_socket(AF_INET6, SOCK_DGRAM);
    const base::UniqueFd raw = make_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    const int closed = make_socket(AF_INET, SOCK_STREAM).get();
    const std::pair<const char*, int> none[] = {{"-1", -1}, {"closed", closed}, {"a file", file.get()}, {"a pipe", pipes[0]},
                                               {"a Unix pair", pairs[0]}, {"a Unix listener", named.get()}};
    const std::pair<const char*, int> unconnected[] = {{"unconnected", loose.get()}, {"unconnected datagrams", datagrams.get()}, {"a listener", pair.listener.get()}};
    const int asked = requests();
    for (const Row& row : kRows) {
      if (row.wants == Wants::no_socket) continue;
      for (const auto& [what, number] : none) refused_socket(row, number, what, ENOTSOCK, IPSEC_E_NOT_A_SOCKET);
      const bool to_be_connected = row.wants == Wants::connected || row.wants == Wants::connected_or_listening;
      for (const auto& [what, number] : unconnected)
        if (to_be_connected && (row.wants == Wants::connected || number != pair.listener.get())) refused_socket(row, number, what, ENOTCONN, IPSEC_E_NOT_CONNECTED);
      if (to_be_connected) refused_socket(row, raw.get(), "raw", EPROTONOSUPPORT, IPSEC_E_UNSUPPORTED_SOCKET);
      if (row.wants == Wants::listener)
        for (const int number : {loose.get(), datagrams.get(), raw.get(), fd()}) refused_socket(row, number, "does not listen", EINVAL, IPSEC_E_BAD_ARGUMENT);
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the broker was asked", asked, requests());
  }

  // The socket counts, not its number.
  void a_descriptor_is_as_good_as_its_copy() {
    const base::UniqueFd copy(fcntl(fd(), F_DUPFD_CLOEXEC, 0));
    ipsec_latch_state state{};
    char one[IPSEC_PEER_SIZE], other[IPSEC_PEER_SIZE];
    CPPUNIT_ASSERT(ipsec_get_peer(fd(), one, sizeof one) == 0 && ipsec_get_peer(copy.get(), other, sizeof other) == 0);
    CPPUNIT_ASSERT_EQUAL(std::string(one), std::string(other));
    ipsec_latch_t found = nullptr;
    CPPUNIT_ASSERT_EQUAL(0, ipsec_find_latch(copy.get(), &found));
    CPPUNIT_ASSERT(ipsec_inquire_latch(found, &state, nullptr) == 0 && state == IPSEC_LATCH_ESTABLISHED);
    pair.client.reset();
    CPPUNIT_ASSERT(ipsec_inquire_latch(found, &state, nullptr) == 0 && state == IPSEC_LATCH_ESTABLISHED);
    CPPUNIT_ASSERT(ipsec_inquire_latch(latch_, &state, nullptr) == 0 && state == IPSEC_LATCH_CLOSED);
    CPPUNIT_ASSERT_EQUAL(0, ipsec_free_latch(found));
  }

  void a_hundred_threads_see_their_own_peers() {
    std::vector<kernel::testing::Pair> pairs;
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int i = 0; i < 100; ++i) pairs.push_back(kernel::testing::tcp_pair(AF_INET));
    for (const auto& own : pairs)
      threads.emplace_back([&] {
        const tests::AskingInTurn turn;
        right += sees_its_own(own.client.get()) ? 1 : 0;
      });
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(100, right.load());
  }

 protected:
  void answer(tests::FakeBroker& self, tests::FakeRequest& request) override {
    if (request.frame.header.verb == Verb::query) {
      protocol::Report own = report;
      own.peer_id = peer_of(request.fd.get());
      return tests::FakeBroker::answer(request, encode(own));
    }
    const std::uint64_t cookie = request.fd ? *client::socket_cookie(request.fd.get()) : 0;
    if (request.frame.header.verb == Verb::subscribe) return tests::FakeBroker::answer(request, encode(protocol::SubscribeReply{1, cookie, true}));
    if (request.frame.header.verb != Verb::latch) return self.obey(request);
    protocol::LatchReply reply{self.new_channel(request), {}, {}};
    reply.channel.latch = protocol::LatchState::established;
    reply.channel.cookie = cookie;
    tests::FakeBroker::answer(request, encode(reply));
  }

 private:
  // Another one for each connection.
  static std::string peer_of(int fd) { return "fqdn:p" + std::to_string(ntohs(kernel::testing::name_of(fd).sin6_port)) + ".example.org"; }
  static bool sees_its_own(int fd) {
    char name[IPSEC_PEER_SIZE];
    ipsec_latch_t latch = nullptr;
    ipsec_latch_state state{};
    bool right = ipsec_create_connection_latch(fd, nullptr, nullptr, &latch) == 0;
    for (int i = 0; right && i < 10; ++i)
      right = ipsec_get_peer(fd, name, sizeof name) == 0 && name == peer_of(fd) && ipsec_inquire_latch(latch, &state, nullptr) == 0 &&
              state == IPSEC_LATCH_ESTABLISHED && ipsec_get_peer(-1, name, sizeof name) == -1 && ipsec_get_error(nullptr, 0) == IPSEC_E_NOT_A_SOCKET;
    return ipsec_release_latch(latch) == 0 && right;
  }
  static base::UniqueFd unix_listener() {
    base::UniqueFd fd = kernel::testing::make_socket(AF_UNIX, SOCK_STREAM);
    const sockaddr name{AF_UNIX, {}};
    CPPUNIT_ASSERT(bind(fd.get(), &name, sizeof(sa_family_t)) == 0 && listen(fd.get(), 1) == 0);  // the kernel names it
    return fd;
  }
  [[nodiscard]] int requests() const {
    int sum = 0;
    for (int verb = 0; verb <= static_cast<int>(protocol::kLastVerb); ++verb) sum += broker->requests(static_cast<Verb>(verb));
    return sum;
  }

  // Everything as it should be.
  Given given() {
    info_->size = sizeof(ipsec_security_info);
    out_ = nullptr, size_ = sizeof room_;
    message_.msg_name = &address_, message_.msg_namelen = kAddressSize;
    return {fd(), {protection_.get(), protection_.get(), identity_.get(), identity_.get(), latch_, subscription_, protection_.get(), &address_, &message_,
                   &events_, room_, &size_, &out_}};
  }
  void refused(const Row& row, Slot slot, void* instead, const char* what) {
    Given wrong = given();
    wrong.at[slot] = instead;
    expect_failure(static_cast<int>(row.call(wrong)), EINVAL, IPSEC_E_BAD_ARGUMENT, said(row, what, slot).c_str());
    CPPUNIT_ASSERT_MESSAGE(said(row, "wrote on failure", slot), !out_ && size_ == sizeof room_);
  }
  void refused_socket(const Row& row, int number, const char* what, int error, ipsec_err reason) {
    Given wrong = given();
    wrong.fd = number;
    expect_failure(static_cast<int>(row.call(wrong)), error, reason, said(row, what, -1).c_str());
    CPPUNIT_ASSERT_MESSAGE(said(row, "wrote on failure", -1), !out_ && size_ == sizeof room_);
  }
  static std::string said(const Row& row, const char* what, int slot) {
    return std::string(row.function) + ": " + what + (slot < 0 ? "" : ", slot " + std::to_string(slot));
  }

  OwnProtection protection_;
  OwnIdentity identity_;
  ipsec_latch_t latch_ = nullptr;
  ipsec_subscription_t subscription_ = nullptr;
  sockaddr_in6 address_{};
  msghdr message_{};
  ipsec_event events_{IPSEC_SN_ALL, 1};
  alignas(16) char room_[4096] = {};
  ipsec_security_info* info_ = reinterpret_cast<ipsec_security_info*>(room_);
  std::size_t size_ = 0;
  void* out_ = nullptr;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiContractTest);

}  // namespace
}  // namespace gssipsec::api
