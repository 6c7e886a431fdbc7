// SPDX-License-Identifier: MIT
#include "ike/vici_codec.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/unit/ike/recordings.h"

namespace gssipsec::ike::test {
namespace {

base::Bytes octets(std::string_view text) {
  const base::View view = base::view_of(text);
  return {view.begin(), view.end()};
}

using namespace std::string_literals;
using namespace std::string_view_literals;

bool decodes(std::string_view text) {
  const auto packet = decode_vici(base::view_of(text));
  if (!packet) CPPUNIT_ASSERT(packet.error().code == base::Code::IKE_MESSAGE);
  return packet.ok();
}

}  // namespace

class ViciCodecTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ViciCodecTest);
  CPPUNIT_TEST(the_documented_example_gives_the_documented_tree);
  CPPUNIT_TEST(every_recorded_packet_is_read_and_written_back_the_same);
  CPPUNIT_TEST(every_truncation_of_a_recorded_packet_is_refused);
  CPPUNIT_TEST(sections_and_lists_must_balance);
  CPPUNIT_TEST(lists_hold_items_only_and_items_live_in_lists_only);
  CPPUNIT_TEST(a_key_or_list_twice_in_a_section_is_refused);
  CPPUNIT_TEST(a_section_named_twice_is_not_found_by_name);
  CPPUNIT_TEST(depth_is_bounded);
  CPPUNIT_TEST(the_number_of_elements_is_bounded);
  CPPUNIT_TEST(unknown_types_are_refused);
  CPPUNIT_TEST(a_stream_is_cut_wherever_it_was_split);
  CPPUNIT_TEST(a_segment_of_absurd_length_is_refused_before_it_comes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_documented_example_gives_the_documented_tree() {
    const auto packet = decode_vici(base::view_of(
        "\1\3\4key1\0\6value1\1\10section1\1\13sub-section\3\4key2\0\6value2\2\4\5list1\5\0\5item1\5\0\5item2\6\2"s));
    CPPUNIT_ASSERT(packet.ok());
    CPPUNIT_ASSERT(packet->type == ViciType::response);
    CPPUNIT_ASSERT(packet->message.text("key1") == "value1");
    const ViciSection* outer = packet->message.section("section1");
    CPPUNIT_ASSERT(outer && outer->section("sub-section"));
    CPPUNIT_ASSERT(outer->section("sub-section")->text("key2") == "value2");
    CPPUNIT_ASSERT(outer->list("list1") && outer->list("list1")->items == (std::vector<std::string>{"item1", "item2"}));
  }

  void every_recorded_packet_is_read_and_written_back_the_same() {
    for (const char* name : {"client-list-conns", "client-list-sas", "client-events", "server-list-conns", "server-list-sas", "confirms"}) {
      const base::Bytes stream = recording(name);
      std::size_t length = 0;
      for (const ViciPacket& packet : packets_of(stream)) {
        const base::Bytes written = encode_vici(packet);
        length += written.size();
        const auto again = decode_vici(base::View(written).subspan(4));
        CPPUNIT_ASSERT(again.ok() && *again == packet);
      }
      CPPUNIT_ASSERT_EQUAL(stream.size(), length);
    }
  }

  void every_truncation_of_a_recorded_packet_is_refused() {
    const base::Bytes whole = encode_vici(packets_of(recording("client-list-sas")).front());
    const base::View body = base::View(whole).subspan(4);
    // After the name of the event comes one section: no shorter message is complete but the empty one.
    const std::size_t empty = 2 + std::string_view("list-sa").size();
    for (std::size_t length = 0; length < body.size(); ++length)
      CPPUNIT_ASSERT_EQUAL(length == empty, decode_vici(body.first(length)).ok());
    CPPUNIT_ASSERT(decode_vici(body).ok());
  }

  void sections_and_lists_must_balance() {
    CPPUNIT_ASSERT(decodes("\1\1\1a\2"s));
    CPPUNIT_ASSERT(!decodes("\1\1\1a"s));
    CPPUNIT_ASSERT(!decodes("\1\2"s));
    CPPUNIT_ASSERT(!decodes("\1\1\1a\2\2"s));
    CPPUNIT_ASSERT(!decodes("\1\4\1l"s));
    CPPUNIT_ASSERT(!decodes("\1\6"s));
  }

  void lists_hold_items_only_and_items_live_in_lists_only() {
    CPPUNIT_ASSERT(decodes("\1\4\1l\5\0\1x\6"s));
    CPPUNIT_ASSERT(!decodes("\1\5\0\1x"s));
    CPPUNIT_ASSERT(!decodes("\1\4\1l\3\1k\0\1v\6"s));
    CPPUNIT_ASSERT(!decodes("\1\4\1l\1\1s\2\6"s));
    CPPUNIT_ASSERT(!decodes("\1\4\1l\4\1m\6\6"s));
  }

  void a_key_or_list_twice_in_a_section_is_refused() {
    CPPUNIT_ASSERT(decodes("\1\3\1k\0\1v\3\1j\0\1w"s));
    CPPUNIT_ASSERT(!decodes("\1\3\1k\0\1v\3\1k\0\1w"s));
    CPPUNIT_ASSERT(!decodes("\1\4\1l\6\4\1l\6"s));
  }

  void a_section_named_twice_is_not_found_by_name() {
    const auto packet = decode_vici(base::view_of("\1\1\1s\2\1\1s\2\1\1t\2"s));
    CPPUNIT_ASSERT(packet.ok());
    CPPUNIT_ASSERT(!packet->message.section("s"));
    CPPUNIT_ASSERT(packet->message.section("t"));
  }

  void depth_is_bounded() {
    const auto nested = [](std::size_t depth) {
      std::string text = "\1";
      for (std::size_t i = 0; i < depth; ++i) text += "\1\1s"s;
      return text + std::string(depth, '\2');
    };
    CPPUNIT_ASSERT(decodes(nested(kMaxViciDepth)));
    CPPUNIT_ASSERT(!decodes(nested(kMaxViciDepth + 1)));
    CPPUNIT_ASSERT(!decodes(nested(100000)));
  }

  void the_number_of_elements_is_bounded() {
    const auto many = [](std::size_t count) {
      std::string text = "\1\4\1l"s;
      for (std::size_t i = 0; i < count; ++i) text += "\5\0\0"s;
      return text + "\6";
    };
    CPPUNIT_ASSERT(decodes(many(kMaxViciElements - 2)));
    CPPUNIT_ASSERT(!decodes(many(kMaxViciElements - 1)));
  }

  void unknown_types_are_refused() {
    CPPUNIT_ASSERT(!decodes(""));
    CPPUNIT_ASSERT(!decodes("\10"));
    CPPUNIT_ASSERT(!decodes("\1\0"s));
    CPPUNIT_ASSERT(!decodes("\1\7"));
    CPPUNIT_ASSERT(!decodes("\7\5abc"));
  }

  void a_stream_is_cut_wherever_it_was_split() {
    const base::Bytes stream = octets("\0\0\0\1\5\0\0\0\3\7\1x"s);
    for (std::size_t split = 0; split <= stream.size(); ++split) {
      ViciStream cutter;
      std::vector<base::Bytes> got;
      for (const base::View part : {base::View(stream).first(split), base::View(stream).subspan(split)}) {
        cutter.append(part);
        for (auto one = cutter.next(); one.ok() && *one; one = cutter.next()) got.push_back(**one);
      }
      CPPUNIT_ASSERT(got == (std::vector<base::Bytes>{octets("\5"), octets("\7\1x")}));
      CPPUNIT_ASSERT(!cutter.in_segment());
    }
  }

  void a_segment_of_absurd_length_is_refused_before_it_comes() {
    for (const std::string_view head : {"\0\0\0\0"sv, "\0\x08\0\1"sv, "\xff\xff\xff\xff"sv}) {
      ViciStream cutter;
      cutter.append(base::view_of(head));
      const auto segment = cutter.next();
      CPPUNIT_ASSERT(!segment.ok() && segment.error().code == base::Code::IKE_MESSAGE);
    }
    ViciStream longest;
    longest.append(base::view_of("\0\x08\0\0"sv));
    const auto segment = longest.next();
    CPPUNIT_ASSERT(segment.ok() && !*segment);
  }

};

CPPUNIT_TEST_SUITE_REGISTRATION(ViciCodecTest);

}  // namespace gssipsec::ike::test
