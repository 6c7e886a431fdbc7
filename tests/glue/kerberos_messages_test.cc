// SPDX-License-Identifier: MIT
// Messages of a Kerberos context by whatever way they go: whole, in pieces, with additional data; MICs, and how long they may be.
#include "tests/glue/kerberos_support.h"

namespace gssipsec::tests {
namespace {

class KerberosMessagesTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(KerberosMessagesTest);
  CPPUNIT_TEST(mics_stay_kerberos);
  CPPUNIT_TEST(the_size_limit_fits_every_way);
  CPPUNIT_TEST(messages_in_pieces_go_every_way);
  CPPUNIT_TEST(what_one_end_makes_in_pieces_the_other_opens_whole);
  CPPUNIT_TEST(additional_data_is_covered_on_every_way);
  CPPUNIT_TEST(arrays_that_hold_no_message_of_the_channel_are_refused);
  CPPUNIT_TEST(cut_and_changed_tokens_of_the_channel_are_refused);
  CPPUNIT_TEST(what_comes_late_lost_or_twice_around_the_switch_is_told);
  CPPUNIT_TEST(an_offer_that_comes_again_or_late_is_told_and_still_one);
  CPPUNIT_TEST(replay_alone_is_told_where_only_that_was_asked_for);
  CPPUNIT_TEST_SUITE_END();

 public:
  void mics_stay_kerberos() {
    KerberosPair pair;
    switch_both(pair);
    std::string mic;
    CPPUNIT_ASSERT(pair.initiator.mic("attack", mic).ok());
    CPPUNIT_ASSERT_EQUAL(char{0x04}, mic.front());
    CPPUNIT_ASSERT(pair.acceptor.verify("attack", mic).ok());
    CPPUNIT_ASSERT(!pair.acceptor.verify("retreat", mic).ok());
  }

  void the_size_limit_fits_every_way() {
    for (const int confidential : {0, 1}) {
      KerberosPair pair;
      pair.must_shake();
      for (End* end : {static_cast<End*>(&pair.acceptor), static_cast<End*>(&pair.initiator)}) {
        OM_uint32 minor, most = 0;
        CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_size_limit(&minor, end->context, confidential, 0, 1000, &most));
        std::string token;
        for (int i = 0; i < 2; ++i) {
          CPPUNIT_ASSERT(end->wrap(std::string(most, 'x'), token, confidential).ok());
          CPPUNIT_ASSERT(token.size() <= 1000 && token.size() > 900);
          std::string message;
          End& other = end == &pair.acceptor ? static_cast<End&>(pair.initiator) : pair.acceptor;
          CPPUNIT_ASSERT(other.unwrap(token, message).ok());
        }
      }
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
    }
  }

  void messages_in_pieces_go_every_way() {
    for (const bool allocated : {true, false}) {
      KerberosPair pair;
      pair.must_shake();
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass_pieces(pair.initiator, pair.acceptor, allocated));
      CPPUNIT_ASSERT_EQUAL(kWithSwitch, pass_pieces(pair.acceptor, pair.initiator, allocated));
      CPPUNIT_ASSERT_EQUAL(kByKerberos, pass_pieces(pair.acceptor, pair.initiator, allocated));
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass_pieces(pair.initiator, pair.acceptor, allocated));
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass_pieces(pair.acceptor, pair.initiator, allocated));
      CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));
    }
  }

  void what_one_end_makes_in_pieces_the_other_opens_whole() {
    KerberosPair pair;
    pair.must_shake();
    for (const char wanted : {kWithSwitch, kByKerberos}) {
      std::string token = wrapped_in_pieces(pair.acceptor, true), message;
      CPPUNIT_ASSERT_EQUAL(wanted, token.front());
      CPPUNIT_ASSERT(pair.initiator.unwrap(token, message).ok());
      CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), message);
    }
    std::string token = wrapped_in_pieces(pair.initiator, true);
    CPPUNIT_ASSERT_EQUAL(kByChannel, token.front());
    CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), from_stream(pair.acceptor, token));
    CPPUNIT_ASSERT(pair.acceptor.wrap("attack at dawn", token).ok());
    CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), from_stream(pair.initiator, token));
    KerberosPair other;
    other.must_shake();
    CPPUNIT_ASSERT(other.acceptor.wrap("attack at dawn", token).ok());
    CPPUNIT_ASSERT_EQUAL(kWithSwitch, token.front());
    CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), from_stream(other.initiator, token));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(other.initiator, other.acceptor));
  }

  void additional_data_is_covered_on_every_way() {
    KerberosPair pair;
    pair.must_shake();
    for (const char wanted : {kWithSwitch, kByChannel}) {
      End &from = wanted == kWithSwitch ? static_cast<End&>(pair.acceptor) : pair.initiator, &to = wanted == kWithSwitch ? static_cast<End&>(pair.initiator) : pair.acceptor;
      std::string message = "attack", data = "at dawn", other = "at dusk";
      gss_buffer_desc input = in(message), associated = in(data), wrong = in(other);
      Buffer token, nothing, got;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_aead(&minor, from.context, 1, 0, &associated, &input, nullptr, &token));
      CPPUNIT_ASSERT_EQUAL(wanted, token.str().front());
      std::string copy = token.str();  // Kerberos decrypts in place
      gss_buffer_desc same = in(copy);
      CPPUNIT_ASSERT(GSS_ERROR(gss_unwrap_aead(&minor, to.context, &same, &wrong, &nothing, nullptr, nullptr)));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_unwrap_aead(&minor, to.context, &token, &associated, &got, nullptr, nullptr));
      CPPUNIT_ASSERT_EQUAL(message, got.str());
    }
  }

  // Of the plaintext behind the header nothing is checked but its length: that is ESP's.
  void cut_and_changed_tokens_of_the_channel_are_refused() {
    KerberosPair pair;
    switch_both(pair);
    std::string token, message;
    CPPUNIT_ASSERT(pair.initiator.wrap("attack", token).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, token.front());
    for (std::size_t size = 0; size < token.size(); ++size) CPPUNIT_ASSERT_MESSAGE(std::to_string(size), refused(pair.acceptor, token.substr(0, size)));
    CPPUNIT_ASSERT(refused(pair.acceptor, token + "s"));
    for (std::size_t i = 0; i + std::string("attack").size() < token.size(); ++i) {
      std::string changed = token;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      CPPUNIT_ASSERT_MESSAGE("octet " + std::to_string(i), refused(pair.acceptor, changed));
    }
    CPPUNIT_ASSERT(refused(pair.initiator, token));  // back to who sent it
    CPPUNIT_ASSERT(pair.acceptor.unwrap(token, message).ok());
  }

  void what_comes_late_lost_or_twice_around_the_switch_is_told() {
    KerberosPair pair;
    pair.must_shake();
    std::string kerberos[3], offer, channel[4];
    for (std::string& token : kerberos) CPPUNIT_ASSERT(pair.initiator.wrap("k", token).ok());
    CPPUNIT_ASSERT(pair.acceptor.wrap("o", offer).ok());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, took(pair.initiator, offer));
    for (std::string& token : channel) CPPUNIT_ASSERT(pair.initiator.wrap("c", token).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, channel[0].front());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, took(pair.acceptor, kerberos[0]));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, took(pair.acceptor, kerberos[2]));     // one of Kerberos' is missing: Kerberos' word
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNSEQ_TOKEN}, took(pair.acceptor, kerberos[1]));   // and comes after all
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, took(pair.acceptor, channel[0]));                    // none is missing any more
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, took(pair.acceptor, kerberos[2]));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, took(pair.acceptor, channel[2]));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNSEQ_TOKEN}, took(pair.acceptor, channel[1]));
    for (const std::string& token : channel)
      CPPUNIT_ASSERT_EQUAL(&token == &channel[3] ? OM_uint32{0} : OM_uint32{GSS_S_DUPLICATE_TOKEN}, took(pair.acceptor, token));
  }

  void an_offer_that_comes_again_or_late_is_told_and_still_one() {
    KerberosPair pair;
    pair.must_shake();
    std::string offer, second, token;
    CPPUNIT_ASSERT(pair.acceptor.wrap("o", offer).ok());
    CPPUNIT_ASSERT(pair.acceptor.wrap("k", second).ok());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, took(pair.initiator, second));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNSEQ_TOKEN}, took(pair.initiator, offer));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, took(pair.initiator, offer));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.acceptor, pair.initiator));  // its number is the next one
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, took(pair.initiator, second));
  }

  void replay_alone_is_told_where_only_that_was_asked_for() {
    KerberosPair pair;
    pair.request = GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG;
    switch_both(pair);
    std::string first, second;
    CPPUNIT_ASSERT(pair.initiator.wrap("1", first).ok());
    CPPUNIT_ASSERT(pair.initiator.wrap("2", second).ok());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, took(pair.acceptor, second));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, took(pair.acceptor, first));
    for (const std::string& token : {first, second}) CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_DUPLICATE_TOKEN}, took(pair.acceptor, token));
  }

  // Kerberos itself never sees them.
  void arrays_that_hold_no_message_of_the_channel_are_refused() {
    constexpr OM_uint32 head = GSS_IOV_BUFFER_TYPE_HEADER, data = GSS_IOV_BUFFER_TYPE_DATA, stream = GSS_IOV_BUFFER_TYPE_STREAM, mic = GSS_IOV_BUFFER_TYPE_MIC_TOKEN,
                        padding = GSS_IOV_BUFFER_TYPE_PADDING;
    KerberosPair pair;
    switch_both(pair);
    std::string token, message;
    CPPUNIT_ASSERT(pair.initiator.wrap("attack at dawn", token).ok());
    OM_uint32 minor;
    const auto refused_array = [&](End& end, bool wraps, std::vector<OM_uint32> types, bool hollow = false) {
      std::vector<std::string> octets(types.size(), token);
      std::vector<gss_iov_buffer_desc> iov;
      for (std::size_t i = 0; i < types.size(); ++i) iov.push_back({types[i], in(octets[i])});
      if (hollow) iov.back().buffer.value = nullptr;
      const int count = static_cast<int>(iov.size());
      const OM_uint32 major = wraps ? gss_wrap_iov(&minor, end.context, 1, 0, nullptr, iov.data(), count) : gss_unwrap_iov(&minor, end.context, nullptr, nullptr, iov.data(), count);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, major);
      CPPUNIT_ASSERT_EQUAL(minor_here(base::Code::BAD_ARGUMENT), minor);
      CPPUNIT_ASSERT(octets == std::vector<std::string>(types.size(), token));
    };
    for (const auto& types : std::vector<std::vector<OM_uint32>>{{data}, {stream, data}, {head, head, data}, {head, data, mic}, {head, data, 99}})
      refused_array(pair.initiator, true, types);
    for (const auto& types : std::vector<std::vector<OM_uint32>>{{stream}, {stream, data, data}, {stream, data, head}, {head, data, mic}, {head, data, 99}, {head, data, padding, padding}})
      refused_array(pair.acceptor, false, types);
    refused_array(pair.initiator, true, {head, data}, true);
    refused_array(pair.acceptor, false, {head, data}, true);
    refused_array(pair.acceptor, false, {stream, GSS_IOV_BUFFER_TYPE_SIGN_ONLY}, true);
    CPPUNIT_ASSERT(pair.acceptor.unwrap(token, message).ok());
    CPPUNIT_ASSERT_EQUAL(kByChannel, pass(pair.initiator, pair.acceptor));
  }

 private:
  static OM_uint32 took(End& to, std::string token) {
    std::string message;
    return to.unwrap(token, message).major;
  }
  static bool refused(End& to, std::string token) {
    std::string message;
    return GSS_ERROR(to.unwrap(token, message).major) && message.empty();
  }

  // HEADER, DATA, PADDING, TRAILER as one token.
  static std::string wrapped_in_pieces(End& from, bool allocated) {
    std::string message = "attack at dawn", room(200, '\0');
    gss_iov_buffer_desc iov[4] = {{GSS_IOV_BUFFER_TYPE_HEADER, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_DATA, in(message)},
                                  {GSS_IOV_BUFFER_TYPE_PADDING, {0, nullptr}}, {GSS_IOV_BUFFER_TYPE_TRAILER, {0, nullptr}}};
    OM_uint32 minor;
    if (allocated) {
      for (const int i : {0, 2, 3}) iov[i].type |= GSS_IOV_BUFFER_FLAG_ALLOCATE;
    } else {
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_iov_length(&minor, from.context, 1, 0, nullptr, iov, 4));
      iov[0].buffer.value = room.data(), iov[2].buffer.value = room.data() + 100, iov[3].buffer.value = room.data() + 120;
    }
    int concealed = 0;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_iov(&minor, from.context, 1, 0, &concealed, iov, 4));
    CPPUNIT_ASSERT(concealed);
    std::string token;
    for (const auto& part : iov) token.append(static_cast<const char*>(part.buffer.value), part.buffer.length);
    gss_release_iov_buffer(&minor, iov, 4);
    return token;
  }

  static std::string from_stream(End& to, std::string token) {
    gss_iov_buffer_desc iov[2] = {{GSS_IOV_BUFFER_TYPE_STREAM, in(token)}, {GSS_IOV_BUFFER_TYPE_DATA, {0, nullptr}}};
    OM_uint32 minor;
    const OM_uint32 major = gss_unwrap_iov(&minor, to.context, nullptr, nullptr, iov, 2);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(message_of({major, minor}), OM_uint32{0}, major);
    return {static_cast<const char*>(iov[1].buffer.value), iov[1].buffer.length};
  }

  static char pass_pieces(End& from, End& to, bool allocated) {
    const std::string token = wrapped_in_pieces(from, allocated);
    CPPUNIT_ASSERT_EQUAL(std::string("attack at dawn"), from_stream(to, token));
    return token.front();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KerberosMessagesTest);

}  // namespace
}  // namespace gssipsec::tests
