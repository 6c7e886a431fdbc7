// SPDX-License-Identifier: MIT
// Messages in pieces, through libgssapi: what MIT's t_iov shows of krb5, for this mechanism, on channels with and without
// confidentiality and in both directions; and what must not pass.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <memory>

#include "tests/glue/context_fixture.h"

namespace gssipsec::tests {
namespace {

using base::Code;
using protocol::LatchState;

constexpr OM_uint32 kAllocate = GSS_IOV_BUFFER_FLAG_ALLOCATE, kAllocated = GSS_IOV_BUFFER_FLAG_ALLOCATED;
constexpr OM_uint32 kHeader = GSS_IOV_BUFFER_TYPE_HEADER, kData = GSS_IOV_BUFFER_TYPE_DATA, kPadding = GSS_IOV_BUFFER_TYPE_PADDING,
                    kTrailer = GSS_IOV_BUFFER_TYPE_TRAILER, kSign = GSS_IOV_BUFFER_TYPE_SIGN_ONLY, kStream = GSS_IOV_BUFFER_TYPE_STREAM,
                    kMicToken = GSS_IOV_BUFFER_TYPE_MIC_TOKEN;

// An array of buffers whose octets live in strings of its own.
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() {
    OM_uint32 minor;
    gss_release_iov_buffer(&minor, iov.data(), count());
  }
  Array& add(OM_uint32 type, std::string octets = {}) {
    texts_.push_back(std::make_unique<std::string>(std::move(octets)));
    iov.push_back({type, in(*texts_.back())});
    return *this;
  }
  void swap(Array& other) noexcept { iov.swap(other.iov), texts_.swap(other.texts_); }
  [[nodiscard]] int count() const { return static_cast<int>(iov.size()); }
  [[nodiscard]] std::string at(std::size_t i) const { return {static_cast<const char*>(iov[i].buffer.value), iov[i].buffer.length}; }
  // All that travels.
  [[nodiscard]] std::string token() const {
    std::string all;
    for (std::size_t i = 0; i < iov.size(); ++i)
      if (GSS_IOV_BUFFER_TYPE(iov[i].type) != kSign && iov[i].buffer.length != 0) all += at(i);
    return all;
  }
  std::vector<gss_iov_buffer_desc> iov;

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
};

struct Out {
  Status status;
  int conf = -1;
  gss_qop_t qop = 9;
};

Out wrap(End& end, Array& array, int conf, gss_qop_t qop = 0) {
  Out out;
  out.status.major = gss_wrap_iov(&out.status.minor, end.context, conf, qop, &out.conf, array.iov.data(), array.count());
  return out;
}
Out unwrap(End& end, Array& array) {
  Out out;
  out.status.major = gss_unwrap_iov(&out.status.minor, end.context, &out.conf, &out.qop, array.iov.data(), array.count());
  return out;
}
Out wrap_aead(End& end, const std::string& sign, const std::string& text, std::string& token, int conf, gss_qop_t qop) {
  gss_buffer_desc assoc = in(sign), payload = in(text);
  Buffer output;
  Out out;
  out.status.major = gss_wrap_aead(&out.status.minor, end.context, conf, qop, &assoc, &payload, &out.conf, &output);
  token = output.str();
  return out;
}
Out unwrap_aead(End& end, const std::string& sign, const std::string& token, std::string& text) {
  gss_buffer_desc assoc = in(sign), input = in(token);
  Buffer output;
  Out out;
  out.status.major = gss_unwrap_aead(&out.status.minor, end.context, &input, &assoc, &output, &out.conf, &out.qop);
  text = output.str();
  return out;
}

class IovTest : public ContextFixture {
  CPPUNIT_TEST_SUITE(IovTest);
  CPPUNIT_TEST(t_iov_std1_wrapped_and_unwrapped_in_place);
  CPPUNIT_TEST(t_iov_std2_an_array_is_the_token_of_gss_wrap);
  CPPUNIT_TEST(t_iov_std3_a_stream_is_unwrapped_in_place);
  CPPUNIT_TEST(t_iov_std4_a_stream_is_copied_where_that_is_asked);
  CPPUNIT_TEST(t_iov_aead1_lengths_first_then_own_buffers);
  CPPUNIT_TEST(t_iov_aead2_an_array_is_the_token_of_gss_wrap_aead);
  CPPUNIT_TEST(t_iov_aead3_a_stream_with_signed_octets);
  CPPUNIT_TEST(t_iov_aead4_a_token_of_gss_wrap_aead_as_a_stream);
  CPPUNIT_TEST(t_iov_mic_buffers_are_one_message);
  CPPUNIT_TEST(t_iov_dce_a_header_at_the_end);
  CPPUNIT_TEST(octets_only_signed_count_in_every_form);
  CPPUNIT_TEST(a_message_may_be_in_many_pieces_or_none);
  CPPUNIT_TEST(arrays_of_wrong_buffers_are_refused);
  CPPUNIT_TEST(lengths_without_octets_are_refused);
  CPPUNIT_TEST(who_asks_for_lengths_need_not_have_the_message);
  CPPUNIT_TEST(what_is_no_array_or_no_token_is_refused);
  CPPUNIT_TEST(too_small_a_buffer_is_refused_and_nothing_leaks);
  CPPUNIT_TEST(octets_in_padding_or_trailer_are_refused);
  CPPUNIT_TEST(pieces_of_another_length_are_refused);
  CPPUNIT_TEST(lengths_hold_when_the_latch_changes);
  CPPUNIT_TEST(a_broken_latch_stops_arrays_too);
  CPPUNIT_TEST(the_sequence_is_told_in_every_form);
  CPPUNIT_TEST_SUITE_END();

  static void standard(Array& array, const std::string& text) {
    array.add(kHeader | kAllocate).add(kData, text).add(kPadding | kAllocate).add(kTrailer | kAllocate);
  }

  // From each end, with and without confidentiality asked, both qualities of protection.
  template <typename Body>
  void all_ways(Body body) {
    for (const bool confidential : {true, false}) {
      twin_->knobs.confidentiality = confidential;
      shake();
      for (const int conf : {0, 1})
        for (const gss_qop_t qop : {0u, 1u}) {
          const bool sealed = qop == 1 || (conf && !confidential);
          body(pair_->initiator, pair_->acceptor, conf, qop, sealed, sealed || confidential);
          body(pair_->acceptor, pair_->initiator, conf, qop, sealed, sealed || confidential);
        }
    }
  }
  static void came(const Out& out, bool sealed, bool concealed) {
    must(out.status);
    CPPUNIT_ASSERT(out.conf == concealed && out.qop == (sealed ? 1u : 0u));
  }

 public:
  void setUp() override {
    ContextFixture::setUp();
    shake();
  }

  void t_iov_std1_wrapped_and_unwrapped_in_place() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      const std::string text = "The swift brown fox jumped over the lazy dog.";
      Array array;
      standard(array, text);
      void* const place = array.iov[1].buffer.value;
      const Out made = wrap(from, array, conf, qop);
      must(made.status);
      CPPUNIT_ASSERT(made.conf == concealed && (array.at(1) != text) == sealed && array.iov[0].type == (kHeader | kAllocate | kAllocated));
      came(unwrap(to, array), sealed, concealed);
      CPPUNIT_ASSERT(array.iov[1].buffer.value == place && array.at(1) == text);
    });
  }

  void t_iov_std2_an_array_is_the_token_of_gss_wrap() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool, bool concealed) {
      Array array;
      standard(array, "Now is the time!");
      must(wrap(from, array, conf, qop).status);
      std::string text;
      int state = -1;
      must(to.unwrap(array.token(), text, &state));
      CPPUNIT_ASSERT(text == "Now is the time!" && state == concealed);
    });
  }

  void t_iov_std3_a_stream_is_unwrapped_in_place() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      Array array, stream;
      standard(array, "x");
      must(wrap(from, array, conf, qop).status);
      stream.add(kStream, array.token()).add(kData);
      came(unwrap(to, stream), sealed, concealed);
      CPPUNIT_ASSERT_EQUAL(std::string("x"), stream.at(1));
      CPPUNIT_ASSERT(static_cast<char*>(stream.iov[1].buffer.value) - static_cast<char*>(stream.iov[0].buffer.value) == 30);
    });
  }

  void t_iov_std4_a_stream_is_copied_where_that_is_asked() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      for (const std::string text : {"!@#", ""}) {
        std::string token;
        must(from.wrap(text, token, conf, qop));
        Array stream;
        stream.add(kStream, token).add(kData | kAllocate);
        came(unwrap(to, stream), sealed, concealed);
        CPPUNIT_ASSERT(stream.at(1) == text && stream.at(0) == token);
        CPPUNIT_ASSERT_EQUAL(!text.empty(), (stream.iov[1].type & kAllocated) != 0);
      }
    });
  }

  static const std::string kSigned, kText;

  // HEADER | SIGN_ONLY | DATA | PADDING | TRAILER in one piece of memory of the caller's.
  static void aead(Array& array, End& from, int conf, gss_qop_t qop, bool concealed) {
    array.add(kHeader).add(kSign, kSigned).add(kData, kText).add(kPadding).add(kTrailer);
    Out out;
    out.status.major = gss_wrap_iov_length(&out.status.minor, from.context, conf, qop, &out.conf, array.iov.data(), array.count());
    must(out.status);
    CPPUNIT_ASSERT(out.conf == concealed && array.at(1) == kSigned && array.at(2) == kText);
    CPPUNIT_ASSERT(array.iov[0].buffer.length == 30 && array.iov[3].buffer.length == 0 && array.iov[4].buffer.length == 0);
    Array filled;
    filled.add(kHeader, std::string(array.iov[0].buffer.length, '?')).add(kSign, kSigned).add(kData, kText).add(kPadding).add(kTrailer);
    array.swap(filled);
    const Out made = wrap(from, array, conf, qop);
    must(made.status);
    CPPUNIT_ASSERT(made.conf == concealed && array.at(1) == kSigned);
  }

  void t_iov_aead1_lengths_first_then_own_buffers() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      Array array;
      aead(array, from, conf, qop, concealed);
      CPPUNIT_ASSERT_EQUAL(sealed, array.at(2) != kText);
      came(unwrap(to, array), sealed, concealed);
      CPPUNIT_ASSERT(array.at(1) == kSigned && array.at(2) == kText);
    });
  }

  void t_iov_aead2_an_array_is_the_token_of_gss_wrap_aead() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      Array array;
      aead(array, from, conf, qop, concealed);
      std::string text;
      came(unwrap_aead(to, kSigned, array.token(), text), sealed, concealed);
      CPPUNIT_ASSERT_EQUAL(kText, text);
    });
  }

  void t_iov_aead3_a_stream_with_signed_octets() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      Array array, stream;
      aead(array, from, conf, qop, concealed);
      stream.add(kStream, array.token()).add(kSign, kSigned).add(kData);
      came(unwrap(to, stream), sealed, concealed);
      CPPUNIT_ASSERT_EQUAL(kText, stream.at(2));
    });
  }

  void t_iov_aead4_a_token_of_gss_wrap_aead_as_a_stream() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      std::string token;
      const Out made = wrap_aead(from, kSigned, kText, token, conf, qop);
      must(made.status);
      CPPUNIT_ASSERT_EQUAL(int{concealed}, made.conf);
      Array stream;
      stream.add(kStream, token).add(kSign, kSigned).add(kData | kAllocate);
      came(unwrap(to, stream), sealed, concealed);
      CPPUNIT_ASSERT(stream.at(2) == kText && stream.iov[2].type & kAllocated);
    });
  }

  static Status get_mic(End& end, Array& array) {
    Status status;
    status.major = gss_get_mic_iov(&status.minor, end.context, 0, array.iov.data(), array.count());
    return status;
  }
  static Status verify_mic(End& end, Array& array) {
    Status status;
    gss_qop_t qop = 9;
    status.major = gss_verify_mic_iov(&status.minor, end.context, &qop, array.iov.data(), array.count());
    CPPUNIT_ASSERT_EQUAL(gss_qop_t{0}, qop);
    return status;
  }

  void t_iov_mic_buffers_are_one_message() {
    for (const bool turned : {false, true}) {
      End &from = turned ? pair_->acceptor : pair_->initiator, &to = turned ? pair_->initiator : pair_->acceptor;
      Array own, given;
      own.add(kData, "Data and sign-only ").add(kSign, "buffers are treated ").add(kSign, "equally").add(kMicToken, std::string(26, '?'));
      OM_uint32 minor;
      own.iov[3].buffer.length = 0;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_get_mic_iov_length(&minor, from.context, 0, own.iov.data(), own.count()));
      CPPUNIT_ASSERT_EQUAL(std::size_t{26}, own.iov[3].buffer.length);
      must(get_mic(from, own));
      must(verify_mic(to, own));
      given.add(kData, "Data and sign-only ").add(kSign, "buffers are treated ").add(kSign, "equally").add(kMicToken | kAllocate);
      must(get_mic(from, given));
      CPPUNIT_ASSERT(given.iov[3].type & kAllocated);
      const std::string whole = "Data and sign-only buffers are treated equally";
      must(to.verify(whole, given.at(3)));
      std::string mic;
      must(from.mic(whole, mic));
      Array last;
      last.add(kData, "Data and sign-only buffers").add(kSign, " are treated equally").add(kMicToken, mic);
      must(verify_mic(to, last));
      last.add(kSign, "!");
      expect(verify_mic(to, last), GSS_S_BAD_MIC, Code::BAD_MIC);
    }
  }

  void t_iov_dce_a_header_at_the_end() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool sealed, bool concealed) {
      Array array;
      array.add(kSign, "First data to be signed").add(kData, kText).add(kSign, "Second data to be signed").add(kHeader | kAllocate);
      must(wrap(from, array, conf, qop).status);
      CPPUNIT_ASSERT_EQUAL(sealed, array.at(1) != kText);
      came(unwrap(to, array), sealed, concealed);
      CPPUNIT_ASSERT_EQUAL(kText, array.at(1));
    });
  }

  void octets_only_signed_count_in_every_form() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool, bool) {
      std::string token, text;
      must(wrap_aead(from, kSigned, kText, token, conf, qop).status);
      for (const std::string other : {"this data is only signed", "", "This data is only signed!"}) {
        expect(unwrap_aead(to, other, token, text).status, GSS_S_BAD_MIC, Code::BAD_MIC);
        Array stream;
        stream.add(kStream, token).add(kSign, other).add(kData | kAllocate);
        expect(unwrap(to, stream).status, GSS_S_BAD_MIC, Code::BAD_MIC);
        CPPUNIT_ASSERT(stream.iov[2].buffer.length == 0 && !(stream.iov[2].type & kAllocated));
      }
      expect(to.unwrap(token, text), GSS_S_BAD_MIC, Code::BAD_MIC);
      must(unwrap_aead(to, kSigned, token, text).status);
    });
  }

  void a_message_may_be_in_many_pieces_or_none() {
    all_ways([](End& from, End& to, int conf, gss_qop_t qop, bool, bool) {
      Array many, none;
      many.add(kHeader | kAllocate).add(kData, "a").add(GSS_IOV_BUFFER_TYPE_EMPTY).add(kData).add(kData, "b").add(kData, std::string(5000, 'c'));
      must(wrap(from, many, conf, qop).status);
      std::string text;
      must(to.unwrap(many.token(), text));
      CPPUNIT_ASSERT(text == "ab" + std::string(5000, 'c'));
      none.add(kHeader | kAllocate);
      must(wrap(from, none, conf, qop).status);
      must(to.unwrap(none.token(), text));
      CPPUNIT_ASSERT(text.empty());
    });
  }

  using Types = std::vector<OM_uint32>;
  using Call = Status (*)(End& end, gss_iov_buffer_desc* iov, int count);

  template <typename Function, typename... Arguments>
  static Status called(Function function, End& end, Arguments... arguments) {
    Status status;
    status.major = function(&status.minor, end.context, arguments...);
    return status;
  }
  static Status call_wrap(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_wrap_iov, end, 1, 0, nullptr, iov, count); }
  static Status call_wrap_length(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_wrap_iov_length, end, 1, 0, nullptr, iov, count); }
  static Status call_unwrap(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_unwrap_iov, end, nullptr, nullptr, iov, count); }
  static Status call_get_mic(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_get_mic_iov, end, 0, iov, count); }
  static Status call_mic_length(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_get_mic_iov_length, end, 0, iov, count); }
  static Status call_verify(End& end, gss_iov_buffer_desc* iov, int count) { return called(gss_verify_mic_iov, end, nullptr, iov, count); }

  // With each list of types; in `hollow` the buffer of that place has a length and no octets.
  void refuses(Call call, const std::vector<Types>& lists, int hollow = -1) {
    for (const Types& types : lists) {
      Array array;
      for (const OM_uint32 type : types) array.add(type, std::string(40, '\x11'));
      if (hollow >= 0) array.iov[static_cast<std::size_t>(hollow)].buffer.value = nullptr;
      const auto before = array.iov;
      gss_iov_buffer_desc none{};
      const Status status = call(pair_->initiator, types.empty() ? &none : array.iov.data(), array.count());
      expect(status, GSS_S_FAILURE, Code::BAD_ARGUMENT);
      CPPUNIT_ASSERT_MESSAGE(message_of(status), message_of(status).find("not valid") != std::string::npos && message_of(status).find(hollow >= 0 ? "a length and no octets" : "buffer") != std::string::npos);
      for (std::size_t i = 0; i < before.size(); ++i)
        CPPUNIT_ASSERT(array.iov[i].type == before[i].type && array.iov[i].buffer.length == 40 && array.iov[i].buffer.value == before[i].buffer.value);
    }
  }

  void arrays_of_wrong_buffers_are_refused() {
    const OM_uint32 header = kHeader | kAllocate, mic = kMicToken | kAllocate;
    for (const Call call : {call_wrap, call_wrap_length})
      refuses(call, {{}, {kData}, {kSign}, {header, header, kData}, {header, kData, 99}, {kStream, kData}, {header, kStream, kData}, {header, kData, GSS_IOV_BUFFER_TYPE_MECH_PARAMS},
                     {mic, kData}, {header, mic, kData}, {header, kData, kTrailer, kTrailer}, {header, kPadding, kPadding}});
    refuses(call_unwrap, {{}, {kData}, {kStream}, {kStream, kData, kData}, {kStream, kData, kHeader}, {kStream, kStream, kData}, {kHeader, kHeader, kData}, {kHeader, kData, 99},
                          {kHeader, kData, kPadding, kPadding}, {kHeader, kData, kMicToken}, {kMicToken, kData}, {kHeader, kData, GSS_IOV_BUFFER_TYPE_MECH_PARAMS}});
    for (const Call call : {call_get_mic, call_mic_length, call_verify})
      refuses(call, {{}, {kData}, {kSign, kData}, {mic, mic, kData}, {mic, header}, {mic, kData, kHeader}, {mic, kStream}, {mic, kData, kPadding}, {mic, kData, kTrailer}, {mic, kData, 99},
                     {mic, kData, GSS_IOV_BUFFER_TYPE_MECH_PARAMS}});
    goes_on();
  }

  void lengths_without_octets_are_refused() {
    refuses(call_wrap, {{kHeader | kAllocate, kData}, {kHeader | kAllocate, kSign, kData}, {kHeader, kData}}, 1);
    refuses(call_unwrap, {{kHeader, kData}, {kHeader}, {kStream, kData}}, 0);
    refuses(call_unwrap, {{kHeader, kData}, {kHeader, kSign, kData}, {kStream, kSign, kData}}, 1);
    for (const Call call : {call_get_mic, call_verify}) refuses(call, {{kMicToken, kData}, {kMicToken, kSign}}, 1);
    refuses(call_verify, {{kMicToken, kData}, {kMicToken}}, 0);
    // Room that is not there, where octets are to be put.
    Array wrapped, mic;
    wrapped.add(kHeader).add(kData, kText);
    wrapped.iov[0].buffer = {30, nullptr};
    expect(call_wrap(pair_->initiator, wrapped.iov.data(), 2), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(kText, wrapped.at(1));
    mic.add(kMicToken).add(kData, kText);
    mic.iov[0].buffer = {26, nullptr};
    expect(call_get_mic(pair_->initiator, mic.iov.data(), 2), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    goes_on();
  }

  void who_asks_for_lengths_need_not_have_the_message() {
    Array wrapped, mic;
    wrapped.add(kHeader).add(kSign, kSigned).add(kData, kText);
    mic.add(kMicToken).add(kSign, kSigned).add(kData, kText);
    for (Array* array : {&wrapped, &mic})
      for (const std::size_t i : {1, 2}) array->iov[i].buffer.value = nullptr;
    must(call_wrap_length(pair_->initiator, wrapped.iov.data(), 3));
    must(call_mic_length(pair_->initiator, mic.iov.data(), 3));
    const std::size_t lengths[] = {wrapped.iov[0].buffer.length, mic.iov[0].buffer.length};
    for (Array* array : {&wrapped, &mic}) {
      array->iov[0].type |= kAllocate;
      array->iov[1].buffer = array->iov[2].buffer = {0, nullptr};
    }
    must(call_wrap(pair_->initiator, wrapped.iov.data(), 3));
    must(call_get_mic(pair_->initiator, mic.iov.data(), 3));
    CPPUNIT_ASSERT(lengths[0] == wrapped.iov[0].buffer.length && lengths[1] == mic.iov[0].buffer.length);
  }

  // A count that is none, and what is there but is no token.
  void what_is_no_array_or_no_token_is_refused() {
    Array array, empty;
    array.add(kHeader | kAllocate).add(kData, kText);
    for (const Call call : {call_wrap, call_wrap_length, call_unwrap, call_get_mic, call_mic_length, call_verify}) {
      CPPUNIT_ASSERT(GSS_ERROR(call(pair_->initiator, nullptr, 1).major));
      CPPUNIT_ASSERT(GSS_ERROR(call(pair_->initiator, array.iov.data(), -1).major));
    }
    for (const std::string octets : {"", "x", "\x11"}) {
      Array unwrapped, stream, mic;
      unwrapped.add(kHeader, octets).add(kData, kText);
      expect(unwrap(pair_->acceptor, unwrapped).status, GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
      stream.add(kStream, octets).add(kData);
      expect(unwrap(pair_->acceptor, stream).status, GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
      mic.add(kMicToken, octets).add(kData, kText);
      expect(verify_mic(pair_->acceptor, mic), GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    }
    goes_on();
  }

  // Nothing of all that has used a number or harmed the context.
  void goes_on() {
    Array mic;
    mic.add(kMicToken | kAllocate).add(kData, kText);
    must(get_mic(pair_->initiator, mic));
    must(verify_mic(pair_->acceptor, mic));
    std::string token, text;
    must(pair_->initiator.wrap(kText, token));
    must(pair_->acceptor.unwrap(token, text));
    CPPUNIT_ASSERT_EQUAL(kText, text);
  }

  void too_small_a_buffer_is_refused_and_nothing_leaks() {
    Array array, mic, qop;
    array.add(kHeader, std::string(29, '?')).add(kData, kText);
    expect(wrap(pair_->initiator, array, 1).status, GSS_S_FAILURE, Code::BAD_ARGUMENT);
    CPPUNIT_ASSERT_EQUAL(kText, array.at(1));
    mic.add(kMicToken, std::string(25, '?')).add(kData, kText);
    expect(get_mic(pair_->initiator, mic), GSS_S_FAILURE, Code::BAD_ARGUMENT);
    standard(qop, kText);
    expect(wrap(pair_->initiator, qop, 1, 7).status, GSS_S_BAD_QOP, Code::BAD_QOP);
    CPPUNIT_ASSERT(qop.iov[0].buffer.value == nullptr && !(qop.iov[0].type & kAllocated));
  }

  void octets_in_padding_or_trailer_are_refused() {
    for (const OM_uint32 type : {kPadding, kTrailer}) {
      Array array;
      array.add(kHeader | kAllocate).add(kData, kText);
      must(wrap(pair_->initiator, array, 1).status);
      array.add(type, "x");
      expect(unwrap(pair_->acceptor, array).status, GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    }
  }

  void pieces_of_another_length_are_refused() {
    for (const gss_qop_t qop : {0u, 1u}) {
      Array array;
      array.add(kHeader | kAllocate).add(kData, kText);
      must(wrap(pair_->initiator, array, 1, qop).status);
      array.add(kData, "more");
      expect(unwrap(pair_->acceptor, array).status, GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
      array.iov.pop_back();
      array.iov[1].buffer.length -= 1;
      expect(unwrap(pair_->acceptor, array).status, GSS_S_DEFECTIVE_TOKEN, Code::BAD_TOKEN);
    }
  }

  void lengths_hold_when_the_latch_changes() {
    Array array;
    array.add(kHeader, std::string(30, '?')).add(kData, kText);
    OM_uint32 minor;
    int conf;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_wrap_iov_length(&minor, pair_->initiator.context, 1, 0, &conf, array.iov.data(), array.count()));
    twin_->set_latches(LatchState::stale);
    twin_->knobs.check = Code::LATCH_STALE;
    must(wrap(pair_->initiator, array, 1).status);
    CPPUNIT_ASSERT(array.at(1) != kText);
  }

  void a_broken_latch_stops_arrays_too() {
    Array made, array, mic;
    standard(made, kText);
    must(wrap(pair_->acceptor, made, 1).status);
    twin_->set_latches(LatchState::broken);
    standard(array, kText);
    expect(wrap(pair_->initiator, array, 1).status, GSS_S_FAILURE, Code::LATCH_BROKEN);
    CPPUNIT_ASSERT_EQUAL(kText, array.at(1));
    expect(unwrap(pair_->initiator, made).status, GSS_S_FAILURE, Code::LATCH_BROKEN);
    mic.add(kMicToken | kAllocate).add(kData, kText);
    expect(get_mic(pair_->initiator, mic), GSS_S_FAILURE, Code::LATCH_BROKEN);
    std::string token, text;
    expect(wrap_aead(pair_->initiator, kSigned, kText, token, 1, 0).status, GSS_S_FAILURE, Code::LATCH_BROKEN);
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_FAILURE}, gss_wrap_iov_length(&minor, pair_->initiator.context, 1, 0, nullptr, array.iov.data(), array.count()));
  }

  // DUPLICATE, OLD, UNSEQ and GAP, each beside the message itself.
  template <typename Make, typename Take>
  void sequence(Make make, Take take) {
    shake();
    std::vector<std::string> tokens;
    for (int i = 0; i < 70; ++i) tokens.push_back(make());
    const auto check = [&](std::size_t i, OM_uint32 bits) {
      const Status status = take(tokens[i]);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(i) + " " + message_of(status), bits, status.major);
      CPPUNIT_ASSERT_EQUAL(bits ? minor_of(Code::OUT_OF_SEQUENCE) : 0, status.minor);
    };
    check(0, 0), check(0, GSS_S_DUPLICATE_TOKEN), check(3, GSS_S_GAP_TOKEN), check(1, GSS_S_UNSEQ_TOKEN), check(1, GSS_S_DUPLICATE_TOKEN);
    check(4, 0), check(69, GSS_S_GAP_TOKEN), check(2, GSS_S_OLD_TOKEN), check(6, GSS_S_UNSEQ_TOKEN), check(69, GSS_S_DUPLICATE_TOKEN);
  }

  void the_sequence_is_told_in_every_form() {
    const auto whole = [&](const std::string& token) {
      std::string text;
      return pair_->acceptor.unwrap(token, text);
    };
    for (const gss_qop_t qop : {0u, 1u}) {
      const auto make = [&] {
        std::string token;
        must(pair_->initiator.wrap(kText, token, 1, qop));
        return token;
      };
      sequence(make, whole);
      sequence(make, [&](const std::string& token) {
        Array stream;
        stream.add(kStream, token).add(kData | kAllocate);
        const Status status = unwrap(pair_->acceptor, stream).status;
        CPPUNIT_ASSERT_EQUAL(kText, stream.at(1));
        return status;
      });
    }
    const auto mic = [&] {
      std::string token;
      must(pair_->initiator.mic(kText, token));
      return token;
    };
    sequence(mic, [&](const std::string& token) { return pair_->acceptor.verify(kText, token); });
    sequence(mic, [&](const std::string& token) {
      Array array;
      array.add(kMicToken, token).add(kData, kText);
      return verify_mic(pair_->acceptor, array);
    });
  }
};

const std::string IovTest::kSigned = "This data is only signed.", IovTest::kText = "This data is wrapped in-place.";

CPPUNIT_TEST_SUITE_REGISTRATION(IovTest);

}  // namespace
}  // namespace gssipsec::tests
