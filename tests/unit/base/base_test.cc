// SPDX-License-Identifier: MIT
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/trace.h"
#include "base/unique_fd.h"

namespace gssipsec::base::testing {
namespace {

Bytes octets(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

struct Entry {
  std::uint32_t number;
  std::string name, text;
};

const Entry kEntries[] = {
#define GSS_IPSEC_ERROR(number, name, text) {number, "GSS_IPSEC_E_" #name, text},
#include "base/errors.def"
#undef GSS_IPSEC_ERROR
};

}  // namespace

class BytesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BytesTest);
  CPPUNIT_TEST(numbers_are_big_endian);
  CPPUNIT_TEST(what_is_written_is_read);
  CPPUNIT_TEST(a_reader_that_ran_over_its_end_stays_failed);
  CPPUNIT_TEST(a_block_longer_than_its_limit_fails);
  CPPUNIT_TEST(a_block_longer_than_the_input_fails);
  CPPUNIT_TEST(left_over_octets_are_not_done);
  CPPUNIT_TEST(a_short_array_is_filled_with_zeros);
  CPPUNIT_TEST(a_block_too_long_for_its_length_is_a_programming_error);
  CPPUNIT_TEST(octets_are_shown_in_hexadecimal);
  CPPUNIT_TEST(secrets_are_equal_in_length_and_every_octet);
  CPPUNIT_TEST_SUITE_END();

 public:
  void numbers_are_big_endian() {
    Writer out;
    out.u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f);
    CPPUNIT_ASSERT_EQUAL(std::string("0102030405060708090a0b0c0d0e0f"), to_hex(out.bytes()));
  }
  void what_is_written_is_read() {
    Writer out;
    out.reserve(100).u8(255).u16(65535).u32(0xffffffff).u64(~std::uint64_t{0}).block16("abc").block32(octets({1, 2})).raw("xy");
    const Bytes data = std::move(out).take();
    Reader in(data);
    CPPUNIT_ASSERT(in.u8() == 255 && in.u16() == 65535 && in.u32() == 0xffffffff && in.u64() == ~std::uint64_t{0});
    CPPUNIT_ASSERT(in.text16() == "abc" && in.block32(2).size() == 2 && text_of(in.take(2)) == "xy" && in.done());
  }
  void a_reader_that_ran_over_its_end_stays_failed() {
    const Bytes data = octets({1, 2, 3});
    Reader in(data);
    CPPUNIT_ASSERT_EQUAL(0u, in.u32());
    CPPUNIT_ASSERT(in.failed() && in.left() == 0);
    CPPUNIT_ASSERT(in.u8() == 0 && in.take(1).empty() && in.take(0).empty() && !in.done());
  }
  void a_block_longer_than_its_limit_fails() {
    const Bytes data = octets({0, 3, 7, 7, 7});
    Reader in(data), wide(data);
    CPPUNIT_ASSERT(in.block16(2).empty() && in.failed());
    CPPUNIT_ASSERT(wide.block16(3).size() == 3 && wide.done());
  }
  void a_block_longer_than_the_input_fails() {
    const Bytes data = octets({255, 255, 255, 255, 1});
    Reader in(data);
    CPPUNIT_ASSERT(in.block32(0xffffffff).empty() && in.failed());
  }
  void left_over_octets_are_not_done() {
    const Bytes data = octets({1, 2});
    Reader in(data);
    CPPUNIT_ASSERT(in.u8() == 1 && !in.done() && !in.failed() && in.left() == 1);
    in.mark_failed();
    CPPUNIT_ASSERT(in.u8() == 0 && !in.done());
  }
  void a_short_array_is_filled_with_zeros() {
    const Bytes data = octets({1, 2});
    Reader in(data);
    std::array<std::byte, 3> out;
    out.fill(std::byte{9});
    in.array(out);
    CPPUNIT_ASSERT(in.failed() && out == (std::array<std::byte, 3>{}));
  }
  void a_block_too_long_for_its_length_is_a_programming_error() {
    Writer out;
    CPPUNIT_ASSERT_THROW(out.block16(Bytes(65536)), std::length_error);
  }
  void octets_are_shown_in_hexadecimal() {
    CPPUNIT_ASSERT_EQUAL(std::string("00ff1a"), to_hex(octets({0, 255, 26})));
    CPPUNIT_ASSERT_EQUAL(std::string(), to_hex({}));
  }
  void secrets_are_equal_in_length_and_every_octet() {
    CPPUNIT_ASSERT(equal_secret(octets({1, 2}), octets({1, 2})) && equal_secret({}, {}));
    CPPUNIT_ASSERT(!equal_secret(octets({1, 2}), octets({1, 3})) && !equal_secret(octets({1, 2}), octets({0, 2})));
    CPPUNIT_ASSERT(!equal_secret(octets({1, 2}), octets({1})) && !equal_secret({}, octets({0})));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(BytesTest);

class ErrorsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ErrorsTest);
  CPPUNIT_TEST(every_code_has_its_own_number_name_and_text);
  CPPUNIT_TEST(codes_keep_their_groups);
  CPPUNIT_TEST(unknown_numbers_have_a_text_too);
  CPPUNIT_TEST(a_description_holds_text_and_detail);
  CPPUNIT_TEST(a_system_error_names_call_and_reason);
  CPPUNIT_TEST(a_result_is_a_value_or_an_error);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_code_has_its_own_number_name_and_text() {
    std::set<std::uint32_t> numbers;
    std::set<std::string> names, texts;
    for (const Entry& entry : kEntries) {
      CPPUNIT_ASSERT_MESSAGE(entry.name, numbers.insert(entry.number).second && names.insert(entry.name).second && texts.insert(entry.text).second);
      const auto code = static_cast<Code>(entry.number);
      CPPUNIT_ASSERT(known_code(entry.number) && entry.name == code_name(code) && entry.text == code_text(code) && !entry.text.empty());
    }
  }
  void codes_keep_their_groups() {
    for (const Entry& entry : kEntries) CPPUNIT_ASSERT_MESSAGE(entry.name, entry.number >= 1 && entry.number <= 799);
    CPPUNIT_ASSERT_EQUAL(1u, static_cast<std::uint32_t>(Code::NO_POLICY));
    CPPUNIT_ASSERT_EQUAL(203u, static_cast<std::uint32_t>(Code::BAD_MAC));
  }
  void unknown_numbers_have_a_text_too() {
    CPPUNIT_ASSERT(!known_code(0) && !known_code(99999));
    CPPUNIT_ASSERT_EQUAL(std::string("unknown error"), std::string(code_text(static_cast<Code>(99999))));
    CPPUNIT_ASSERT_EQUAL(std::string("GSS_IPSEC_E_UNKNOWN_CODE"), std::string(code_name(static_cast<Code>(99999))));
  }
  void a_description_holds_text_and_detail() {
    CPPUNIT_ASSERT_EQUAL(std::string("out of memory: wanted 1, found 0"), describe(fail(Code::NO_MEMORY, "wanted 1, found 0")));
    CPPUNIT_ASSERT_EQUAL(std::string("out of memory"), describe(fail(Code::NO_MEMORY)));
  }
  void a_system_error_names_call_and_reason() {
    const Error error = system_error(Code::SYSTEM, "open", ENOENT);
    CPPUNIT_ASSERT(error.code == Code::SYSTEM && error.detail == "open: No such file or directory");
  }
  void a_result_is_a_value_or_an_error() {
    const Result<std::string> good(std::string("x")), bad(fail(Code::INTERNAL, "why"));
    CPPUNIT_ASSERT(good.ok() && good && *good == "x" && good->size() == 1);
    CPPUNIT_ASSERT(!bad.ok() && !bad && bad.error().detail == "why");
    CPPUNIT_ASSERT_THROW(static_cast<void>(*bad), std::bad_variant_access);
    CPPUNIT_ASSERT(Status().ok() && !Status(fail(Code::INTERNAL)).ok());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ErrorsTest);

class OwnersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OwnersTest);
  CPPUNIT_TEST(a_moved_secret_leaves_nothing);
  CPPUNIT_TEST(a_copied_secret_is_its_own);
  CPPUNIT_TEST(wiped_bytes_are_gone);
  CPPUNIT_TEST(a_descriptor_is_closed_once_by_its_owner);
  CPPUNIT_TEST(a_moved_descriptor_has_one_owner);
  CPPUNIT_TEST(a_released_descriptor_stays_open);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_moved_secret_leaves_nothing() {
    Secret one(View(octets({1, 2, 3})));
    Secret two(std::move(one));
    CPPUNIT_ASSERT(one.empty() && two.size() == 3);  // NOLINT: what a move leaves is promised
    Secret three(2);
    three = std::move(two);
    CPPUNIT_ASSERT(two.empty() && three.size() == 3);  // NOLINT
  }
  void a_copied_secret_is_its_own() {
    const Secret one(View(octets({1, 2, 3})));
    Secret two = one.copy();
    two.bytes()[0] = std::byte{9};
    CPPUNIT_ASSERT(one.view()[0] == std::byte{1});
  }
  void wiped_bytes_are_gone() {
    Bytes bytes = octets({1, 2, 3});
    const std::byte* first = bytes.data();
    wipe(bytes);
    CPPUNIT_ASSERT(bytes.empty() && *first == std::byte{0});  // the room is still the vector's
    wipe(bytes);
  }
  void a_descriptor_is_closed_once_by_its_owner() {
    int number;
    {
      const UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
      number = fd.get();
      CPPUNIT_ASSERT(fd && is_open(number));
    }
    CPPUNIT_ASSERT(!is_open(number));
    CPPUNIT_ASSERT(!UniqueFd());
  }
  void a_moved_descriptor_has_one_owner() {
    UniqueFd one(open("/dev/null", O_RDONLY | O_CLOEXEC)), two(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int first = one.get(), second = two.get();
    two = std::move(one);
    CPPUNIT_ASSERT(!one && two.get() == first && is_open(first) && !is_open(second));  // NOLINT
  }
  void a_released_descriptor_stays_open() {
    UniqueFd one(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int number = one.release();
    one.reset();
    CPPUNIT_ASSERT(is_open(number));
    close(number);
  }

 private:
  static bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }
};
CPPUNIT_TEST_SUITE_REGISTRATION(OwnersTest);

class TraceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TraceTest);
  CPPUNIT_TEST(without_the_variable_nothing_is_traced);
  CPPUNIT_TEST(a_relative_path_is_not_used);
  CPPUNIT_TEST(one_line_is_appended_for_each_decision);
  CPPUNIT_TEST(a_long_text_is_cut_and_ends_its_line);
  CPPUNIT_TEST(the_file_is_for_its_owner_only);
  CPPUNIT_TEST(a_symbolic_link_is_not_followed);
  CPPUNIT_TEST(a_full_pipe_does_not_stop_the_program);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    char path[] = "/tmp/trace-test-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(path));
    folder_ = path;
    file_ = folder_ + "/trace";
    setenv("GSS_IPSEC_TRACE", file_.c_str(), 1);
  }
  void tearDown() override {
    unsetenv("GSS_IPSEC_TRACE");
    unlink(file_.c_str());
    unlink((folder_ + "/target").c_str());
    rmdir(folder_.c_str());
  }
  void without_the_variable_nothing_is_traced() {
    unsetenv("GSS_IPSEC_TRACE");
    CPPUNIT_ASSERT(!tracing());
    trace("area", "text");
    CPPUNIT_ASSERT_EQUAL(std::string(), content());
  }
  void a_relative_path_is_not_used() {
    setenv("GSS_IPSEC_TRACE", "trace", 1);
    CPPUNIT_ASSERT(!tracing());
  }
  void one_line_is_appended_for_each_decision() {
    CPPUNIT_ASSERT(tracing());
    trace("area", "first");
    trace("area", "second");
    const std::string text = content();
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{2}, std::count(text.begin(), text.end(), '\n'));
    CPPUNIT_ASSERT(text.find(" " + std::to_string(getpid()) + " area: first\n") != std::string::npos && text.ends_with(" area: second\n"));
  }
  void a_long_text_is_cut_and_ends_its_line() {
    trace("area", std::string(5000, 'x'));
    CPPUNIT_ASSERT(content().size() < 1024 && content().ends_with("x\n"));
  }
  void the_file_is_for_its_owner_only() {
    trace("area", "text");
    struct stat status {};
    CPPUNIT_ASSERT(stat(file_.c_str(), &status) == 0 && (status.st_mode & 077) == 0);
  }
  void a_symbolic_link_is_not_followed() {
    const std::string target = folder_ + "/target";
    CPPUNIT_ASSERT(symlink(target.c_str(), file_.c_str()) == 0);
    trace("area", "text");
    CPPUNIT_ASSERT(access(target.c_str(), F_OK) != 0);
  }
  void a_full_pipe_does_not_stop_the_program() {
    CPPUNIT_ASSERT(mkfifo(file_.c_str(), 0600) == 0);
    trace("area", "nobody reads");
    const UniqueFd reader(open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    for (int i = 0; i < 200; ++i) trace("area", std::string(900, 'x'));
  }

 private:
  std::string content() const {
    std::ifstream in(file_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder_, file_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(TraceTest);

}  // namespace gssipsec::base::testing
