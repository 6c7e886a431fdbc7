// SPDX-License-Identifier: MIT
// One connection over a socket pair: what honest and hostile clients may send.
#include "broker/session.h"

#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/broker/stand.h"

namespace gssipsec::broker::testing {
namespace {

using base::Code;
using protocol::Header;
using protocol::Verb;

struct Reply {
  protocol::Frame frame;
  base::UniqueFd fd;
};

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

class SessionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SessionTest);
  CPPUNIT_TEST(hello_gives_a_page_that_cannot_be_written);
  CPPUNIT_TEST(hello_comes_first_and_once);
  CPPUNIT_TEST(a_query_needs_a_descriptor_and_is_answered);
  CPPUNIT_TEST(only_root_sees_spis);
  CPPUNIT_TEST(only_root_asks_about_a_bare_flow);
  CPPUNIT_TEST(an_empty_message_is_an_error_not_the_end);
  CPPUNIT_TEST(too_long_a_message_is_refused);
  CPPUNIT_TEST(several_descriptors_are_refused_and_closed);
  CPPUNIT_TEST(hundreds_of_descriptors_are_refused_and_closed);
  CPPUNIT_TEST(a_descriptor_where_none_belongs_is_refused_and_closed);
  CPPUNIT_TEST(broken_messages_are_refused_and_the_connection_lives);
  CPPUNIT_TEST(a_message_before_hello_ends_the_connection);
  CPPUNIT_TEST(an_unknown_version_is_told);
  CPPUNIT_TEST(answers_come_in_the_version_of_the_request);
  CPPUNIT_TEST(a_user_who_changed_is_refused);
  CPPUNIT_TEST(another_process_is_refused);
  CPPUNIT_TEST(the_end_of_the_stream_ends_the_connection);
  CPPUNIT_TEST(a_client_that_does_not_read_is_let_go);
  CPPUNIT_TEST(the_request_of_a_client_that_left_is_not_carried_out);
  CPPUNIT_TEST(release_is_not_answered);
  CPPUNIT_TEST(probe_and_localname_follow_the_configuration);
  CPPUNIT_TEST(an_unread_message_can_be_answered_and_stays);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    end_ = std::make_unique<End>(true);
    int pair[2];
    CPPUNIT_ASSERT_EQUAL(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
    client_.reset(pair[0]);
    connection_ = std::make_unique<Connection>();
    connection_->socket.reset(pair[1]);
    const int on = 1;
    CPPUNIT_ASSERT_EQUAL(0, setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    connection_->peer = {getpid(), getuid(), getgid()};
  }

  void tearDown() override {
    connection_.reset();
    client_.reset();
  }

  void hello_gives_a_page_that_cannot_be_written() {
    const Reply reply = hello();
    CPPUNIT_ASSERT(reply.frame.header.status == Code::ok);
    CPPUNIT_ASSERT(reply.fd);
    const auto said = protocol::decode_hello_reply(reply.frame.body);
    CPPUNIT_ASSERT_EQUAL(protocol::kPageSlots, said->slots);
    CPPUNIT_ASSERT(said->has_policies);
    CPPUNIT_ASSERT(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, reply.fd.get(), 0) == MAP_FAILED);
    CPPUNIT_ASSERT(ftruncate(reply.fd.get(), 0) != 0);
    CPPUNIT_ASSERT(write(reply.fd.get(), "x", 1) < 0);
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | F_SEAL_FUTURE_WRITE;
    CPPUNIT_ASSERT_EQUAL(seals, fcntl(reply.fd.get(), F_GET_SEALS) & seals);
    void* memory = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, reply.fd.get(), 0);
    CPPUNIT_ASSERT(memory != MAP_FAILED);
    CPPUNIT_ASSERT(mprotect(memory, 4096, PROT_READ | PROT_WRITE) != 0);
    munmap(memory, 4096);
  }

  void hello_comes_first_and_once() {
    (void)hello();
    send(Verb::hello, encode(protocol::HelloRequest{}));
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
  }

  void a_query_needs_a_descriptor_and_is_answered() {
    (void)hello();
    send(Verb::query, encode(protocol::QueryRequest{}));
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::NO_SOCKET);
    const auto report = query();
    CPPUNIT_ASSERT(report->is_protected);
    CPPUNIT_ASSERT(report->out.is_protected && report->in.is_protected);
    CPPUNIT_ASSERT(report->since_start);
    CPPUNIT_ASSERT_EQUAL(std::string("fqdn:b.example.org"), report->peer_id);
    CPPUNIT_ASSERT_EQUAL(std::string("certificate"), report->peer_method);
    CPPUNIT_ASSERT(report->latch == protocol::LatchState::none);
  }

  void only_root_sees_spis() {
    (void)hello();
    CPPUNIT_ASSERT(!query()->out.sas.empty());
    connection_->peer.uid = 1000;  // as if alice asked; her credentials are compared elsewhere
    CPPUNIT_ASSERT(handled_as(1000)->out.sas.empty());
  }

  void only_root_asks_about_a_bare_flow() {
    const auto body = encode(protocol::QueryFlowRequest{flow_of_a(22)});
    CPPUNIT_ASSERT(handle_query_flow(*end_->core, *end_->bench, end_->request(body, -1)).error().code == Code::NOT_ALLOWED);
    end_->caller = end_->core->names.caller(0, Clock::now());
    CPPUNIT_ASSERT(handle_query_flow(*end_->core, *end_->bench, end_->request(body, -1)).ok());
  }

  void an_empty_message_is_an_error_not_the_end() {
    (void)hello();
    CPPUNIT_ASSERT_EQUAL(ssize_t{0}, ::send(client_.get(), "", 0, 0));
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
  }

  void too_long_a_message_is_refused() {
    (void)hello();
    const base::Bytes big(70000);
    CPPUNIT_ASSERT_EQUAL(static_cast<ssize_t>(big.size()), ::send(client_.get(), big.data(), big.size(), 0));
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
  }

  void several_descriptors_are_refused_and_closed() { refuse_descriptors(2); }
  void hundreds_of_descriptors_are_refused_and_closed() { refuse_descriptors(253); }

  void a_descriptor_where_none_belongs_is_refused_and_closed() {
    (void)hello();
    const int before = open_descriptors();
    send(Verb::probe, encode(protocol::ProbeRequest{}), {STDIN_FILENO});
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
    CPPUNIT_ASSERT_EQUAL(before, open_descriptors());
  }

  void broken_messages_are_refused_and_the_connection_lives() {
    (void)hello();
    base::Bytes good = protocol::encode(Header{protocol::kVersion, Verb::query, 7, Code::ok}, encode(protocol::QueryRequest{}));
    for (std::size_t length = 0; length < good.size(); ++length) {
      CPPUNIT_ASSERT_EQUAL(static_cast<ssize_t>(length), ::send(client_.get(), good.data(), length, 0));
      CPPUNIT_ASSERT(step());
      const Reply reply = receive();
      CPPUNIT_ASSERT(reply.frame.header.status != Code::ok);
      if (length >= 16) CPPUNIT_ASSERT_EQUAL(7U, reply.frame.header.request);
    }
    CPPUNIT_ASSERT(query()->is_protected);
  }

  void a_message_before_hello_ends_the_connection() {
    send(Verb::query, encode(protocol::QueryRequest{}), {STDIN_FILENO});
    CPPUNIT_ASSERT(!step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->sockets_read);
  }

  void an_unknown_version_is_told() {
    protocol::HelloRequest request;
    request.oldest = request.newest = 99;
    send(Verb::hello, encode(request));
    (void)step();
    CPPUNIT_ASSERT(receive().frame.header.status == Code::PROTOCOL_VERSION);
    CPPUNIT_ASSERT(!connection_->page);
  }

  void answers_come_in_the_version_of_the_request() {
    (void)hello();
    for (const std::uint16_t version : {protocol::kOldestVersion, protocol::kVersion, std::uint16_t{99}}) {
      const std::uint16_t readable = version == 99 ? protocol::kOldestVersion : version;
      for (const auto& body : {encode(protocol::ProbeRequest{}), base::Bytes{}}) {  // one answered, one refused
        CPPUNIT_ASSERT_EQUAL(static_cast<int>(readable), version_of_answer(version, body));
      }
    }
  }

  void a_user_who_changed_is_refused() {
    (void)hello();
    connection_->peer.uid = 4242;  // connected as another than who sends now
    send(Verb::subscribe, encode(protocol::SubscribeRequest{}), {STDIN_FILENO});
    CPPUNIT_ASSERT(!step());
    const Header refusal = receive().frame.header;
    CPPUNIT_ASSERT(refusal.status == Code::CREDENTIALS_CHANGED && refusal.verb == Verb::subscribe);
    CPPUNIT_ASSERT_EQUAL(0, end_->host->sockets_read);
  }

  void another_process_is_refused() {
    (void)hello();
    const pid_t child = fork();
    if (child == 0) {
      send(Verb::query, encode(protocol::QueryRequest{}), {STDIN_FILENO});
      _exit(0);
    }
    int status = 0;
    CPPUNIT_ASSERT_EQUAL(child, waitpid(child, &status, 0));
    CPPUNIT_ASSERT(!step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::CREDENTIALS_CHANGED);
  }

  void the_end_of_the_stream_ends_the_connection() {
    (void)hello();
    client_.reset();
    CPPUNIT_ASSERT(!step());
  }

  void a_client_that_does_not_read_is_let_go() {
    (void)hello();
    bool alive = true;
    int answers = 0;
    for (; alive && answers < 20000; ++answers) {
      send(Verb::probe, encode(protocol::ProbeRequest{}));
      alive = step();
    }
    CPPUNIT_ASSERT(!alive);
  }

  void the_request_of_a_client_that_left_is_not_carried_out() {
    (void)hello();
    send(Verb::initiate, encode(protocol::InitiateRequest{}), {STDIN_FILENO});
    client_.reset();
    CPPUNIT_ASSERT(!step());
    CPPUNIT_ASSERT_EQUAL(0, end_->host->latches_set);
  }

  void release_is_not_answered() {
    (void)hello();
    send(Verb::release, encode(protocol::ReleaseRequest{1, 1}));
    CPPUNIT_ASSERT(step());
    char octet = 0;
    CPPUNIT_ASSERT_EQUAL(ssize_t{-1}, recv(client_.get(), &octet, 1, MSG_DONTWAIT));
  }

  void probe_and_localname_follow_the_configuration() {
    Config config;
    config.services = {{"alice", "web", 8080}};
    config.vouches = {{*channel::parse_identity("fqdn:b.example.org"), {{"bob", "robert"}}}};
    end_->core->set_config(config);
    const auto probe = [this](const char* service) {
      return handle_probe(*end_->core, end_->request(encode(protocol::ProbeRequest{channel::Role::acceptor, service})));
    };
    CPPUNIT_ASSERT(probe("web").ok());
    CPPUNIT_ASSERT(probe("").ok());
    CPPUNIT_ASSERT(probe("ldap").error().code == Code::SERVICE_DENIED);
    const auto localname = [this](const char* name) {
      return handle_localname(*end_->core, end_->request(encode(protocol::LocalnameRequest{name})));
    };
    CPPUNIT_ASSERT_EQUAL(std::string("robert"), protocol::decode_localname_reply(localname("ipsec:fqdn:b.example.org/bob")->body)->user);
    for (const char* name : {"ipsec:fqdn:b.example.org/alice", "ipsec:fqdn:c.example.org/bob", "ipsec:fqdn:b.example.org", "ipsec:anonymous"})
      CPPUNIT_ASSERT(localname(name).error().code == Code::NO_LOCAL_NAME);
  }

  void an_unread_message_can_be_answered_and_stays() {
    (void)hello();
    const int before = open_descriptors();
    send(Verb::query, encode(protocol::QueryRequest{}), {STDIN_FILENO}, 33);
    answer_unread(connection_->socket.get(), base::fail(Code::BUSY));
    const Reply reply = receive();
    CPPUNIT_ASSERT(reply.frame.header.status == Code::BUSY);
    CPPUNIT_ASSERT_EQUAL(33U, reply.frame.header.request);
    CPPUNIT_ASSERT(reply.frame.header.verb == Verb::query);
    CPPUNIT_ASSERT_EQUAL(before, open_descriptors());
    CPPUNIT_ASSERT(step());
  }

 private:
  void send(Verb verb, const base::Bytes& body, std::vector<int> descriptors = {}, std::uint32_t request = 7, std::uint16_t version = protocol::kVersion) {
    const base::Bytes data = protocol::encode(Header{version, verb, request, Code::ok}, body);
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    iovec part{const_cast<std::byte*>(data.data()), data.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    }
    CPPUNIT_ASSERT(sendmsg(client_.get(), &header, MSG_NOSIGNAL) >= 0 || errno == EAGAIN);
  }

  bool step() { return serve(*end_->core, *end_->bench, *connection_); }

  int version_of_answer(std::uint16_t version, const base::Bytes& body) {
    send(Verb::probe, body, {}, 7, version);
    (void)step();
    return receive().frame.header.version;
  }

  Reply receive() {
    base::Bytes buffer(protocol::kMaxMessage);
    char control[CMSG_SPACE(sizeof(int))];
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const ssize_t length = recvmsg(client_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    CPPUNIT_ASSERT(length > 0);
    Reply reply;
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&header)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
      reply.fd.reset(fd);
    }
    auto frame = protocol::decode_frame(base::View(buffer).first(static_cast<std::size_t>(length)));
    CPPUNIT_ASSERT(frame.ok());
    reply.frame = std::move(*frame);
    return reply;
  }

  Reply hello() {
    send(Verb::hello, encode(protocol::HelloRequest{}), {}, 1);
    CPPUNIT_ASSERT(step());
    return receive();
  }

  base::Result<protocol::Report> query() {
    send(Verb::query, encode(protocol::QueryRequest{}), {STDIN_FILENO});
    CPPUNIT_ASSERT(step());
    const Reply reply = receive();
    CPPUNIT_ASSERT(reply.frame.header.status == Code::ok);
    return protocol::decode_report(reply.frame.body);
  }

  base::Result<protocol::Report> handled_as(std::uint32_t uid) {
    end_->caller = end_->core->names.caller(uid, Clock::now());
    const auto body = encode(protocol::QueryRequest{});
    return protocol::decode_report(handle_query(*end_->core, *end_->bench, end_->request(body))->body);
  }

  void refuse_descriptors(std::size_t count) {
    (void)hello();
    const int before = open_descriptors();
    send(Verb::query, encode(protocol::QueryRequest{}), std::vector<int>(count, STDIN_FILENO));
    CPPUNIT_ASSERT(step());
    CPPUNIT_ASSERT(receive().frame.header.status == Code::BAD_MESSAGE);
    CPPUNIT_ASSERT_EQUAL(before, open_descriptors());
    CPPUNIT_ASSERT_EQUAL(0, end_->host->sockets_read);
  }

  std::unique_ptr<End> end_;
  base::UniqueFd client_;
  std::unique_ptr<Connection> connection_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionTest);

}  // namespace
}  // namespace gssipsec::broker::testing
