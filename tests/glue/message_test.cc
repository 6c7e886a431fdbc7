// SPDX-License-Identifier: MIT
// Messages of an established context, through libgssapi and the built plugin.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/wait.h>
#include <unistd.h>


#include "tests/glue/context_fixture.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::LatchState;
using protocol::Verb;

constexpr char kChannel = 0x11, kSealed = 0x12, kMic = 0x13;
const std::string kText = "attack at dawn";

class MessageTest : public ContextFixture {
  CPPUNIT_TEST_SUITE(MessageTest);
  CPPUNIT_TEST(the_channel_carries_plaintext_behind_a_mac);
  CPPUNIT_TEST(qop_one_is_sealed);
  CPPUNIT_TEST(without_confidentiality_of_the_channel_it_is_sealed_when_asked);
  CPPUNIT_TEST(messages_of_all_sizes_come_through);
  CPPUNIT_TEST(both_directions_have_their_own_numbers_and_keys);
  CPPUNIT_TEST(every_octet_of_a_sealed_token_counts);
  CPPUNIT_TEST(every_octet_of_a_channel_header_counts);
  CPPUNIT_TEST(every_octet_of_a_mic_counts);
  CPPUNIT_TEST(a_mic_is_for_its_message_only);
  CPPUNIT_TEST(tokens_of_another_kind_or_length_are_refused);
  CPPUNIT_TEST(tokens_of_another_context_are_refused);
  CPPUNIT_TEST(repeated_and_missing_messages_are_told);
  CPPUNIT_TEST(a_forged_number_does_not_move_the_window);
  CPPUNIT_TEST(a_broken_latch_stops_all_but_sealed_tokens_that_came);
  CPPUNIT_TEST(a_stale_latch_seals_and_asks_the_broker_once);
  CPPUNIT_TEST(every_call_has_a_stale_latch_made_whole);
  CPPUNIT_TEST(a_latch_that_the_broker_calls_gone_stops_all_but_sealed_tokens_that_came);
  CPPUNIT_TEST(a_stale_latch_that_is_not_confirmed_refuses_channel_tokens);
  CPPUNIT_TEST(a_latch_that_breaks_once_it_was_confirmed_opens_nothing);
  CPPUNIT_TEST(a_failed_check_loses_no_message);
  CPPUNIT_TEST(no_call_of_a_message_asks_the_broker);
  CPPUNIT_TEST(an_unknown_qop_is_refused);
  CPPUNIT_TEST(size_limits_are_exact);
  CPPUNIT_TEST(the_prf_is_shared_and_bound_to_its_key);
  CPPUNIT_TEST(strength_is_told_to_sasl);
  CPPUNIT_TEST(a_context_ends_with_its_lifetime);
  CPPUNIT_TEST(parent_and_child_never_use_a_number_twice);
  CPPUNIT_TEST(latches_are_given_back);
  CPPUNIT_TEST_SUITE_END();

  End& initiator() { return pair_->initiator; }
  End& acceptor() { return pair_->acceptor; }

  std::string wrapped(End& end, int conf = 1, gss_qop_t qop = 0, const std::string& text = kText) {
    std::string token;
    must(end.wrap(text, token, conf, qop));
    return token;
  }

 public:
  void setUp() override {
    ContextFixture::setUp();
    shake();
  }

  void the_channel_carries_plaintext_behind_a_mac() {
    int state = -1;
    std::string token, text;
    must(initiator().wrap(kText, token, 1, 0, &state));
    CPPUNIT_ASSERT_EQUAL(1, state);
    CPPUNIT_ASSERT_EQUAL(kText.size() + 30, token.size());
    CPPUNIT_ASSERT_EQUAL(kChannel, token[0]);
    CPPUNIT_ASSERT_EQUAL(kText, token.substr(30));
    gss_qop_t qop = 9;
    must(acceptor().unwrap(token, text, &state, &qop));
    CPPUNIT_ASSERT(text == kText && state == 1 && qop == 0);
  }

  void qop_one_is_sealed() {
    int state = -1;
    std::string token, text;
    must(initiator().wrap(kText, token, 0, 1, &state));
    CPPUNIT_ASSERT(state == 1 && token[0] == kSealed && token.size() == kText.size() + 30);
    CPPUNIT_ASSERT(token.find("dawn") == std::string::npos);
    gss_qop_t qop = 9;
    must(acceptor().unwrap(token, text, &state, &qop));
    CPPUNIT_ASSERT(text == kText && state == 1 && qop == 1);
    CPPUNIT_ASSERT(wrapped(initiator(), 1, 1).substr(14) != token.substr(14));
  }

  void without_confidentiality_of_the_channel_it_is_sealed_when_asked() {
    twin_->knobs.confidentiality = false;
    shake();
    int state = -1;
    std::string token, text;
    must(initiator().wrap(kText, token, 1, 0, &state));
    CPPUNIT_ASSERT(state == 1 && token[0] == kSealed);
    must(acceptor().unwrap(token, text, &state));
    CPPUNIT_ASSERT(text == kText && state == 1);
    must(initiator().wrap(kText, token, 0, 0, &state));
    CPPUNIT_ASSERT(state == 0 && token[0] == kChannel);
    must(acceptor().unwrap(token, text, &state));
    CPPUNIT_ASSERT(text == kText && state == 0);
  }

  void messages_of_all_sizes_come_through() {
    for (const std::size_t size : {0, 1, 15, 16, 17, 16384, 1000000}) {
      for (const gss_qop_t qop : {0u, 1u}) {
        const std::string message(size, 'm');
        std::string text, mic;
        must(acceptor().unwrap(wrapped(initiator(), 1, qop, message), text));
        CPPUNIT_ASSERT(text == message);
        must(acceptor().mic(message, mic, qop));
        must(initiator().verify(message, mic));
      }
    }
  }

  void both_directions_have_their_own_numbers_and_keys() {
    std::string text;
    const std::string there = wrapped(initiator()), back = wrapped(acceptor());
    CPPUNIT_ASSERT_EQUAL(there.substr(2, 8), back.substr(2, 8));
    CPPUNIT_ASSERT(there[1] == 0 && back[1] == 1);
    must(acceptor().unwrap(there, text));
    must(initiator().unwrap(back, text));
    // A token that comes back to its sender.
    for (const gss_qop_t qop : {0u, 1u}) expect(initiator().unwrap(wrapped(initiator(), 1, qop), text), GSS_S_DEFECTIVE_TOKEN, Code::WRONG_ROLE);
    std::string mic;
    must(initiator().mic(kText, mic));
    expect(initiator().verify(kText, mic), GSS_S_DEFECTIVE_TOKEN, Code::WRONG_ROLE);
  }

  void flip(const std::string& token, std::size_t octets) {
    for (std::size_t at = 0; at < octets; ++at) {
      for (const int bit : {0x01, 0x80}) {
        std::string changed = token, text;
        changed[at] = static_cast<char>(changed[at] ^ bit);
        const Status status = acceptor().unwrap(changed, text);
        CPPUNIT_ASSERT_MESSAGE("octet " + std::to_string(at) + ": " + message_of(status), GSS_ERROR(status.major) && text.empty());
      }
    }
    std::string text;
    must(acceptor().unwrap(token, text));
  }

  void every_octet_of_a_sealed_token_counts() {
    const std::string token = wrapped(initiator(), 1, 1);
    flip(token, token.size());
  }

  // The body of a channel token is the kernel's to protect.
  void every_octet_of_a_channel_header_counts() { flip(wrapped(initiator()), 30); }

  void every_octet_of_a_mic_counts() {
    std::string mic;
    must(initiator().mic(kText, mic));
    CPPUNIT_ASSERT(mic.size() == 26 && mic[0] == kMic);
    for (std::size_t at = 0; at < mic.size(); ++at) {
      std::string changed = mic;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      CPPUNIT_ASSERT(GSS_ERROR(acceptor().verify(kText, changed).major));
    }
    must(acceptor().verify(kText, mic));
  }

  void a_mic_is_for_its_message_only() {
    std::string mic;
    must(initiator().mic(kText, mic));
    expect(acceptor().verify("attack at dusk", mic), GSS_S_BAD_MIC, Code::BAD_MIC);
    expect(acceptor().verify("", mic), GSS_S_BAD_MIC, Code::BAD_MIC);
    must(acceptor().verify(kText, mic));
  }

  void tokens_of_another_kind_or_length_are_refused() {
    std::string mic, text;
    must(initiator().mic(kText, mic));
    expect(acceptor().unwrap(mic, text), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    expect(acceptor().verify(kText, wrapped(initiator())), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    expect(acceptor().verify(kText, mic + "x"), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    for (const gss_qop_t qop : {0u, 1u}) {
      const std::string token = wrapped(initiator(), 1, qop);
      for (std::size_t size = 1; size < token.size(); ++size) expect(acceptor().unwrap(token.substr(0, size), text), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
      expect(acceptor().unwrap(token + "x", text), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    }
  }

  void tokens_of_another_context_are_refused() {
    Pair other;
    other.must_shake();
    std::string text, mic;
    for (const gss_qop_t qop : {0u, 1u}) expect(other.acceptor.unwrap(wrapped(initiator(), 1, qop), text), GSS_S_BAD_MIC, Code::BAD_MIC);
    must(initiator().mic(kText, mic));
    expect(other.acceptor.verify(kText, mic), GSS_S_BAD_MIC, Code::BAD_MIC);
  }

  void repeated_and_missing_messages_are_told() {
    std::string text, mic;
    const std::string first = wrapped(initiator()), second = wrapped(initiator(), 1, 1);
    must(initiator().mic(kText, mic));
    must(acceptor().unwrap(first, text));
    expect(acceptor().unwrap(first, text), GSS_S_DUPLICATE_TOKEN, Code::OUT_OF_SEQUENCE);
    expect(acceptor().verify(kText, mic), GSS_S_GAP_TOKEN, Code::OUT_OF_SEQUENCE);
    expect(acceptor().verify(kText, mic), GSS_S_DUPLICATE_TOKEN, Code::OUT_OF_SEQUENCE);
    expect(acceptor().unwrap(second, text), GSS_S_UNSEQ_TOKEN, Code::OUT_OF_SEQUENCE);
    CPPUNIT_ASSERT_EQUAL(kText, text);
    expect(acceptor().unwrap(second, text), GSS_S_DUPLICATE_TOKEN, Code::OUT_OF_SEQUENCE);
    for (int i = 0; i < 70; ++i) must(acceptor().unwrap(wrapped(initiator()), text));
    expect(acceptor().unwrap(first, text), GSS_S_OLD_TOKEN, Code::OUT_OF_SEQUENCE);
  }

  void a_forged_number_does_not_move_the_window() {
    std::string text, forged = wrapped(initiator());
    forged[5] = 1;
    expect(acceptor().unwrap(forged, text), GSS_S_BAD_MIC, Code::BAD_MIC);
    const Status gap = acceptor().unwrap(wrapped(initiator()), text);
    expect(gap, GSS_S_GAP_TOKEN, Code::OUT_OF_SEQUENCE);
  }

  void a_broken_latch_stops_all_but_sealed_tokens_that_came() {
    for (const LatchState state : {LatchState::broken, LatchState::closed, LatchState::none}) {
      shake();
      const std::string plain = wrapped(acceptor()), sealed = wrapped(acceptor(), 1, 1);
      std::string token, mic;
      must(acceptor().mic(kText, mic));
      twin_->set_latches(state);
      for (const gss_qop_t qop : {0u, 1u}) {
        expect(initiator().wrap(kText, token, 1, qop), GSS_S_FAILURE, Code::LATCH_BROKEN);
        expect(initiator().mic(kText, token, qop), GSS_S_FAILURE, Code::LATCH_BROKEN);
      }
      expect(initiator().unwrap(plain, token), GSS_S_FAILURE, Code::LATCH_BROKEN);
      expect(initiator().verify(kText, mic), GSS_S_FAILURE, Code::LATCH_BROKEN);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_GAP_TOKEN}, initiator().unwrap(sealed, token).major);
      CPPUNIT_ASSERT_EQUAL(kText, token);
    }
    CPPUNIT_ASSERT_EQUAL(0, twin_->requests(Verb::check));
  }

  void a_stale_latch_seals_and_asks_the_broker_once() {
    const std::string plain = wrapped(acceptor()), more = wrapped(acceptor());
    twin_->stop_heart();
    twin_->knobs.check = Code::LATCH_STALE;
    CPPUNIT_ASSERT_EQUAL(kSealed, wrapped(initiator(), 0, 0)[0]);
    std::string text, mic;
    must(initiator().mic(kText, mic));
    CPPUNIT_ASSERT_EQUAL(kSealed, wrapped(initiator(), 0, 0)[0]);
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::check));
    twin_->knobs.check = Code::ok;
    must(initiator().unwrap(plain, text));
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::check));
    twin_->beat();
    must(initiator().unwrap(more, text));
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::check));
    CPPUNIT_ASSERT_EQUAL(kChannel, wrapped(initiator())[0]);
  }

  void every_call_has_a_stale_latch_made_whole() {
    const std::string sealed = wrapped(acceptor(), 1, 1);
    std::string token, mic;
    must(acceptor().mic(kText, mic));
    const std::function<void()> calls[] = {[&] { CPPUNIT_ASSERT_EQUAL(kChannel, wrapped(initiator())[0]); }, [&] { must(initiator().mic(kText, token)); },
                                           [&] { must(initiator().unwrap(sealed, token)); }, [&] { must(initiator().verify(kText, mic)); }};
    for (const auto& call : calls) {
      const int before = twin_->requests(Verb::check);
      twin_->set_latches(LatchState::stale);
      call();
      CPPUNIT_ASSERT_EQUAL(before + 1, twin_->requests(Verb::check));
      CPPUNIT_ASSERT_EQUAL(kChannel, wrapped(initiator())[0]);
    }
  }

  void a_latch_that_the_broker_calls_gone_stops_all_but_sealed_tokens_that_came() {
    const std::string sealed = wrapped(acceptor(), 1, 1);
    twin_->set_latches(LatchState::stale);
    twin_->knobs.check = Code::LATCH_BROKEN;
    std::string token;
    for (const gss_qop_t qop : {0u, 1u}) {
      expect(initiator().wrap(kText, token, 1, qop), GSS_S_FAILURE, Code::LATCH_BROKEN);
      expect(initiator().mic(kText, token, qop), GSS_S_FAILURE, Code::LATCH_BROKEN);
    }
    expect(initiator().verify(kText, "x"), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    must(initiator().unwrap(sealed, token));
    CPPUNIT_ASSERT_EQUAL(1, twin_->requests(Verb::check));
  }

  void a_stale_latch_that_is_not_confirmed_refuses_channel_tokens() {
    const std::string plain = wrapped(acceptor());
    twin_->stop_heart();
    for (const Code code : {Code::LATCH_BROKEN, Code::LATCH_STALE, Code::NO_POLICY}) {
      twin_->knobs.check = code;
      std::string text;
      expect(initiator().unwrap(plain, text), GSS_S_FAILURE, code);
      CPPUNIT_ASSERT(text.empty());
    }
  }

  void a_latch_that_breaks_once_it_was_confirmed_opens_nothing() {
    const std::string plain = wrapped(acceptor());
    twin_->set_latches(LatchState::stale);
    twin_->knobs.breaks_after_check = true;
    std::string text;
    expect(initiator().unwrap(plain, text), GSS_S_FAILURE, Code::LATCH_BROKEN);
    CPPUNIT_ASSERT(text.empty());
  }

  void a_failed_check_loses_no_message() {
    const std::string plain = wrapped(acceptor());
    twin_->stop_heart();
    twin_->knobs.check = Code::LATCH_STALE;
    std::string text;
    expect(initiator().unwrap(plain, text), GSS_S_FAILURE, Code::LATCH_STALE);
    twin_->knobs.check = Code::ok;
    must(initiator().unwrap(plain, text));
  }

  void no_call_of_a_message_asks_the_broker() {
    const int before = twin_->requests(Verb::check) + twin_->requests(Verb::query) + twin_->requests(Verb::probe);
    std::string text;
    for (int i = 0; i < 10; ++i) must(acceptor().unwrap(wrapped(initiator(), 1, static_cast<gss_qop_t>(i % 2)), text));
    CPPUNIT_ASSERT_EQUAL(before, twin_->requests(Verb::check) + twin_->requests(Verb::query) + twin_->requests(Verb::probe));
  }

  void an_unknown_qop_is_refused() {
    std::string token;
    expect(initiator().wrap(kText, token, 1, 2), GSS_S_BAD_QOP, Code::BAD_QOP);
    expect(initiator().mic(kText, token, 7), GSS_S_BAD_QOP, Code::BAD_QOP);
  }

  void size_limits_are_exact() {
    OM_uint32 minor, limit = 0;
    for (const gss_qop_t qop : {0u, 1u}) {
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_size_limit(&minor, initiator().context, 1, qop, 16380, &limit));
      CPPUNIT_ASSERT_EQUAL(std::size_t{16380}, wrapped(initiator(), 1, qop, std::string(limit, 'x')).size());
    }
    for (const OM_uint32 small : {0u, 29u, 30u}) {
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_size_limit(&minor, initiator().context, 1, 0, small, &limit));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, limit);
    }
  }

  std::string prf(End& end, int key, std::string seed, ssize_t size) {
    gss_buffer_desc input = in(seed);
    Buffer out;
    OM_uint32 minor = 0;
    const OM_uint32 major = gss_pseudo_random(&minor, end.context, key, &input, size, &out);
    must({major, minor});
    return out.str();
  }

  void the_prf_is_shared_and_bound_to_its_key() {
    const std::string full = prf(initiator(), GSS_C_PRF_KEY_FULL, "seed", 100);
    CPPUNIT_ASSERT(full.size() == 100 && full == prf(acceptor(), GSS_C_PRF_KEY_FULL, "seed", 100));
    CPPUNIT_ASSERT(full.substr(0, 40) == prf(initiator(), GSS_C_PRF_KEY_FULL, "seed", 40));
    CPPUNIT_ASSERT(full != prf(initiator(), GSS_C_PRF_KEY_PARTIAL, "seed", 100));
    CPPUNIT_ASSERT(full != prf(initiator(), GSS_C_PRF_KEY_FULL, "tree", 100));
    CPPUNIT_ASSERT(prf(initiator(), GSS_C_PRF_KEY_FULL, "", 0).empty());
  }

  void strength_is_told_to_sasl() {
    gss_OID_desc ssf{11, const_cast<char*>("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x0f")}, other{9, ssf.elements};
    for (const bool confidential : {true, false}) {
      twin_->knobs.confidentiality = confidential;
      shake();
      gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_sec_context_by_oid(&minor, initiator().context, &ssf, &set));
      CPPUNIT_ASSERT(set->count == 1 && set->elements[0].length == 4);
      const auto* octets = static_cast<const unsigned char*>(set->elements[0].value);
      CPPUNIT_ASSERT_EQUAL(confidential ? 128 : 256, octets[2] * 256 + octets[3]);
      gss_release_buffer_set(&minor, &set);
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_inquire_sec_context_by_oid(&minor, initiator().context, &other, &set));
    }
  }

  void a_context_ends_with_its_lifetime() {
    twin_->knobs.lifetime = 1;
    shake();
    const std::string late = wrapped(acceptor());
    std::string token;
    usleep(1100000);
    expect(initiator().wrap(kText, token), GSS_S_CONTEXT_EXPIRED, Code::EXPIRED);
    expect(initiator().unwrap(late, token), GSS_S_CONTEXT_EXPIRED, Code::EXPIRED);
    OM_uint32 minor, left = 9;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_CONTEXT_EXPIRED}, gss_context_time(&minor, initiator().context, &left));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, left);
  }

  void parent_and_child_never_use_a_number_twice() {
    int ends[2];
    CPPUNIT_ASSERT_EQUAL(0, pipe(ends));
    const std::string before = wrapped(initiator(), 1, 1);
    const pid_t child = fork();
    if (child == 0) {
      std::string token;
      initiator().wrap(kText, token, 1, 1);
      _exit(write(ends[1], token.data(), token.size()) == static_cast<ssize_t>(token.size()) ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    char buffer[256];
    const ssize_t size = read(ends[0], buffer, sizeof buffer);
    close(ends[0]), close(ends[1]);
    CPPUNIT_ASSERT(size > 30);
    const std::string childs(buffer, static_cast<std::size_t>(size)), parents = wrapped(initiator(), 1, 1);
    CPPUNIT_ASSERT(childs.substr(0, 14) != parents.substr(0, 14) && before.substr(0, 14) != childs.substr(0, 14));
    std::string text;
    must(acceptor().unwrap(before, text));
    must(acceptor().unwrap(childs, text));
    must(acceptor().unwrap(parents, text));
  }

  void latches_are_given_back() {
    const int before = twin_->requests(Verb::release);
    pair_.reset();
    CPPUNIT_ASSERT(FakeBroker::soon([&] { return twin_->requests(Verb::release) >= before + 2; }));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessageTest);

}  // namespace
}  // namespace gssipsec::tests
