// SPDX-License-Identifier: MIT
// Runs every registered CppUnit test of this program. Prints each failure with its place, with --verbose each test's
// name and time; the last line is `N passed, N failed`. --filter TEXT runs the tests whose name holds TEXT, --list only
// names them, --fail-fast stops at the first failure. A test that takes longer than kSeconds ends the program: a hang is a failure too.
#include <cppunit/Exception.h>
#include <cppunit/SourceLine.h>
#include <cppunit/Test.h>
#include <cppunit/TestFailure.h>
#include <cppunit/TestListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr unsigned kSeconds = 120;
char current_test[512];

struct Options {
  bool verbose = false;
  bool list = false;
  bool fail_fast = false;
  std::string filter;
};

void report_hang(int) {
  constexpr char kText[] = "\nFAILED (took too long): ";
  // Nothing can be done about a failed write here.
  if (write(STDOUT_FILENO, kText, sizeof kText - 1) < 0 || write(STDOUT_FILENO, current_test, strlen(current_test)) < 0 ||
      write(STDOUT_FILENO, "\n0 passed, 1 failed\n", 20) < 0)
    _exit(2);
  _exit(1);
}

std::string message_of(const CppUnit::Exception& error) {
  const CppUnit::Message& message = error.message();
  std::string text = message.shortDescription();
  for (int i = 0; i < message.detailCount(); ++i) text += "\n    " + message.detailAt(i);
  return text;
}

// Remembers the failures of the test that runs now.
class Failures final : public CppUnit::TestListener {
 public:
  void addFailure(const CppUnit::TestFailure& failure) override {
    const CppUnit::SourceLine line = failure.sourceLine();
    text_ += "  " + (line.isValid() ? line.fileName() + ":" + std::to_string(line.lineNumber()) + ": " : std::string()) +
             message_of(*failure.thrownException()) + "\n";
  }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

void collect(CppUnit::Test& test, const std::string& filter, std::vector<CppUnit::Test*>& leaves) {
  for (int i = 0; i < test.getChildTestCount(); ++i) collect(*test.getChildTestAt(i), filter, leaves);
  if (test.getChildTestCount() == 0 && test.countTestCases() > 0 && test.getName().find(filter) != std::string::npos)
    leaves.push_back(&test);
}

bool run_one(CppUnit::Test& test, const Options& options) {
  Failures failures;
  CppUnit::TestResult result;
  result.addListener(&failures);
  strncpy(current_test, test.getName().c_str(), sizeof current_test - 1);
  const auto start = std::chrono::steady_clock::now();
  alarm(kSeconds);
  test.run(&result);
  alarm(0);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
  const std::string text = failures.take();
  if (options.verbose) std::cout << (text.empty() ? "ok " : "FAILED ") << test.getName() << " (" << ms << " ms)\n";
  if (!text.empty()) std::cout << "FAILED: " << test.getName() << "\n" << text << std::flush;
  return text.empty();
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--verbose" || word == "-v") options.verbose = true;
    else if (word == "--fail-fast") options.fail_fast = true;
    else if (word == "--list") options.list = true;
    else if (word == "--filter" && i + 1 < argc) options.filter = argv[++i];
    else return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::cerr << "usage: " << argv[0] << " [--verbose] [--list] [--fail-fast] [--filter TEXT]\n";
    return 2;
  }
  signal(SIGALRM, report_hang);
  const std::unique_ptr<CppUnit::Test> all(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  std::vector<CppUnit::Test*> tests;
  collect(*all, options.filter, tests);
  if (options.list) {
    for (const CppUnit::Test* test : tests) std::cout << test->getName() << "\n";
    return 0;
  }
  std::size_t passed = 0;
  std::size_t failed = 0;
  for (CppUnit::Test* test : tests) {
    run_one(*test, options) ? ++passed : ++failed;
    if (failed > 0 && options.fail_fast) break;
  }
  if (tests.empty() && !options.filter.empty()) {
    std::cout << "no test has '" << options.filter << "' in its name\n";
    failed = 1;
  }
  std::cout << passed << " passed, " << failed << " failed" << std::endl;
  return failed == 0 ? 0 : 1;
}
