// SPDX-License-Identifier: MIT
#include "tools/print.h"

#include <cerrno>
#include <system_error>

#include "tools/render.h"

namespace gssipsec::tools {

bool print(const std::string& text, std::FILE* to) {
  if (std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0) return true;
  if (errno != EPIPE && to != stderr) throw std::system_error(errno, std::generic_category(), "the answer cannot be written");
  return false;
}

int complain(const base::Error& error, bool json) {
  if (json) print(as_json(error));
  else print("ipsec-gss: " + as_text(error), stderr);
  return exit_code(error.code);
}

}  // namespace gssipsec::tools
