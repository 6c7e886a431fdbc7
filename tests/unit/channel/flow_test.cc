// SPDX-License-Identifier: MIT
#include "tests/unit/channel/samples.h"

namespace gssipsec::channel::testing {
namespace {

base::Result<FlowLabel> decode(base::View data) {
  base::Reader in(data);
  const FlowLabel label = decode_flow_label(in);
  if (!in.done()) return base::fail(Code::BAD_TOKEN);
  return label;
}

FlowLabel tunnel_label() {
  FlowLabel label;
  label.protocol = 17;
  label.mode = Mode::tunnel;
  label.inner_initiator = ip("2001:db8::1");
  label.inner_acceptor = ip("2001:db8::2");
  label.initiator_port = 1;
  label.acceptor_port = 65535;
  label.spi_to_acceptor = 256;
  label.spi_to_initiator = 0xffffffff;
  return label;
}

}  // namespace

class FlowTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FlowTest);
  CPPUNIT_TEST(a_transport_label_has_these_octets);
  CPPUNIT_TEST(a_tunnel_label_has_these_octets);
  CPPUNIT_TEST(what_is_encoded_is_decoded);
  CPPUNIT_TEST(every_cut_is_refused);
  CPPUNIT_TEST(another_version_is_refused);
  CPPUNIT_TEST(another_mode_is_refused);
  CPPUNIT_TEST(another_family_is_refused);
  CPPUNIT_TEST(inner_addresses_in_transport_mode_are_refused);
  CPPUNIT_TEST(missing_or_mixed_inner_addresses_are_refused);
  CPPUNIT_TEST(both_ends_build_the_same_label);
  CPPUNIT_TEST(the_whole_protocol_number_is_in_the_label);
  CPPUNIT_TEST(transport_mode_names_no_address);
  CPPUNIT_TEST(tunnel_labels_differ_by_inner_address);
  CPPUNIT_TEST(flows_are_written_for_people);
  CPPUNIT_TEST(an_sa_is_written_for_the_administrator);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_transport_label_has_these_octets() {
    CPPUNIT_ASSERT_EQUAL(std::string("0100060000009c401388c0ffee01deadbeef"), base::to_hex(encode(sample_label())));
  }
  void a_tunnel_label_has_these_octets() {
    CPPUNIT_ASSERT_EQUAL(std::string("010011010620010db80000000000000000000000010620010db80000000000000000000000020001ffff00000100ffffffff"),
                         base::to_hex(encode(tunnel_label())));
  }
  void what_is_encoded_is_decoded() {
    for (const FlowLabel& label : {sample_label(), tunnel_label()}) CPPUNIT_ASSERT(*decode(encode(label)) == label);
    FlowLabel beet = tunnel_label();
    beet.mode = Mode::beet;
    beet.inner_initiator = ip("10.0.0.1");
    beet.inner_acceptor = ip("10.0.0.2");
    CPPUNIT_ASSERT(*decode(encode(beet)) == beet);
  }
  void every_cut_is_refused() {
    for (const FlowLabel& label : {sample_label(), tunnel_label()}) {
      const base::Bytes whole = encode(label);
      for (std::size_t length = 0; length < whole.size(); ++length) CPPUNIT_ASSERT(!decode(base::View(whole).first(length)).ok());
    }
  }
  void another_version_is_refused() { refused_with(0, 2); }
  void another_mode_is_refused() {
    for (const int mode : {2, 3, 5, 255}) refused_with(3, mode);
  }
  void another_family_is_refused() { refused_with(4, 5); }
  void inner_addresses_in_transport_mode_are_refused() {
    FlowLabel label = tunnel_label();
    label.mode = Mode::transport;
    CPPUNIT_ASSERT(!decode(encode(label)).ok());
  }
  void missing_or_mixed_inner_addresses_are_refused() {
    FlowLabel label = tunnel_label();
    label.inner_acceptor = ip("10.0.0.2");
    CPPUNIT_ASSERT(!decode(encode(label)).ok());
    label.inner_acceptor = {};
    CPPUNIT_ASSERT(!decode(encode(label)).ok());
    label.inner_initiator = {};
    CPPUNIT_ASSERT(!decode(encode(label)).ok());
  }
  void both_ends_build_the_same_label() {
    const Flow ours = World().flow;
    Flow theirs = ours;
    std::swap(theirs.local, theirs.remote);
    std::swap(theirs.local_port, theirs.remote_port);
    for (const Mode mode : {Mode::transport, Mode::tunnel, Mode::beet}) {
      CPPUNIT_ASSERT(label_of(ours, Role::initiator, mode, 1, 2) == label_of(theirs, Role::acceptor, mode, 2, 1));
      CPPUNIT_ASSERT(label_of(ours, Role::acceptor, mode, 1, 2) == label_of(theirs, Role::initiator, mode, 2, 1));
      CPPUNIT_ASSERT(label_of(ours, Role::initiator, mode, 1, 2) != label_of(ours, Role::acceptor, mode, 1, 2));
    }
  }
  void the_whole_protocol_number_is_in_the_label() {
    Flow flow = World().flow;
    flow.protocol = 262;
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{262}, label_of(flow, Role::initiator, Mode::transport, 1, 2).protocol);
    CPPUNIT_ASSERT_EQUAL(std::uint16_t{262}, decode(encode(label_of(flow, Role::initiator, Mode::transport, 1, 2)))->protocol);
  }
  void transport_mode_names_no_address() {
    const FlowLabel label = label_of(World().flow, Role::initiator, Mode::transport, 1, 2);
    CPPUNIT_ASSERT(label.inner_initiator == Address{} && label.inner_acceptor == Address{});
  }
  void tunnel_labels_differ_by_inner_address() {
    Flow other = World().flow;
    other.local = ip("10.1.0.3");
    CPPUNIT_ASSERT(encode(label_of(World().flow, Role::initiator, Mode::tunnel, 1, 2)) != encode(label_of(other, Role::initiator, Mode::tunnel, 1, 2)));
  }
  void flows_are_written_for_people() {
    CPPUNIT_ASSERT_EQUAL(std::string("tcp 10.1.0.1:40000 > 10.1.0.2:5000"), format(World().flow));
    Flow flow;
    flow.protocol = 132;
    flow.local = ip("2001:db8::1");
    flow.remote = ip("2001:db8::2");
    CPPUNIT_ASSERT_EQUAL(std::string("sctp [2001:db8::1]:0 > [2001:db8::2]:0"), format(flow));
    CPPUNIT_ASSERT_EQUAL(std::string("beet"), std::string(mode_name(Mode::beet)));
    CPPUNIT_ASSERT_EQUAL(std::string("other"), std::string(mode_name(Mode::other)));
  }
  void an_sa_is_written_for_the_administrator() {
    CPPUNIT_ASSERT_EQUAL(std::string("esp 0xc0ffee01 > 10.1.0.2"), format(SaId{0xc0ffee01, ip("10.1.0.2"), kProtoEsp}));
    CPPUNIT_ASSERT_EQUAL(std::string("ah 0x00000100 > 2001:db8::2"), format(SaId{256, ip("2001:db8::2"), kProtoAh}));
  }

 private:
  static void refused_with(std::size_t at, int octet) {
    base::Bytes data = encode(tunnel_label());
    data[at] = static_cast<std::byte>(octet);
    CPPUNIT_ASSERT(!decode(data).ok());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FlowTest);

}  // namespace gssipsec::channel::testing
