// SPDX-License-Identifier: MIT
#include "tools/print.h"

#include "tools/render.h"

namespace gssipsec::tools {

bool print(const std::string& text, std::FILE* to) { return std::fwrite(text.data(), 1, text.size(), to) == text.size() && std::fflush(to) == 0; }

int complain(const base::Error& error, bool json) {
  if (json) print(as_json(error));
  else print("ipsec-gss: " + as_text(error), stderr);
  return exit_code(error.code);
}

}  // namespace gssipsec::tools
