// SPDX-License-Identifier: MIT
#include "broker/options.h"

namespace gssipsec::broker {
namespace {

using base::Code;
using base::fail;

// The value of "--name value" or "--name=value".
base::Result<std::string> value_of(const std::vector<std::string>& arguments, std::size_t& at) {
  const std::string& argument = arguments[at];
  const std::size_t equals = argument.find('=');
  if (equals != std::string::npos) return argument.substr(equals + 1);
  if (at + 1 >= arguments.size()) return fail(Code::BAD_ARGUMENT, argument + " wants a value");
  return arguments[++at];
}

}  // namespace

base::Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t at = 0; at < arguments.size(); ++at) {
    const std::string name = arguments[at].substr(0, arguments[at].find('='));
    if (name == "--help" || name == "-h") {
      options.act = Options::Act::help;
    } else if (name == "--version") {
      options.act = Options::Act::version;
    } else if (name == "--foreground") {
    } else if (name == "--check") {
      options.act = Options::Act::check;
      if (arguments[at] != name || (at + 1 < arguments.size() && arguments[at + 1][0] != '-')) {
        auto file = value_of(arguments, at);
        if (!file) return file.error();
        options.config = std::move(*file);
      }
    } else if (name == "--config" || name == "--socket") {
      auto value = value_of(arguments, at);
      if (!value) return value.error();
      (name == "--config" ? options.config : options.socket) = std::move(*value);
    } else {
      return fail(Code::BAD_ARGUMENT, "unknown argument " + arguments[at] + "; see ipsec-gssd --help");
    }
  }
  return options;
}

const char* usage() noexcept {
  return "usage: ipsec-gssd [--config FILE] [--socket PATH] [--foreground]\n"
         "       ipsec-gssd --check [FILE]\n"
         "       ipsec-gssd --help | --version\n"
         "\n"
         "The broker of the GSS-API mechanism ipsec. Serves the network namespace it runs in, in the\n"
         "foreground, until SIGTERM; SIGHUP reads the configuration again.\n"
         "\n"
         "  --config FILE  instead of /etc/ipsec-gss/gssd.conf\n"
         "  --check FILE   print every fault of the configuration and end: 0 none, 1 some\n"
         "  --socket PATH  listen here, whatever the configuration says\n";
}

}  // namespace gssipsec::broker
