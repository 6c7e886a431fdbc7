// SPDX-License-Identifier: MIT
// Plays cases: puts them into the kernel, asks the product, sends, watches, judges. One thread.
#pragma once

#include <memory>
#include <optional>

#include "broker/examine.h"
#include "broker/mirror.h"
#include "tests/differential/ends.h"
#include "tests/differential/judge.h"
#include "tests/differential/marker.h"
#include "tests/differential/peer.h"
#include "tests/differential/tally.h"

namespace gssipsec::differential {

// The product: a broker's core with its mirror.
class Product {
 public:
  Product();  // in A's namespace: dumps
  void follow();  // reads the monitor; dumps anew where that does not suffice
  // By the socket where there is one; else by the flow, as root asks.
  [[nodiscard]] broker::Case ask(int fd, const channel::Flow& flow);

 private:
  std::unique_ptr<broker::Core> core_;
  std::unique_ptr<broker::Mirror> mirror_;
};

class Stage {
 public:
  // Namespaces of the lab's topology "differential".
  Stage(const std::string& a, const std::string& b, const std::string& aside, bool verbose);
  // True when everything agreed.
  bool play(const Scene& scene);
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  void set_devices(const Scene& scene, bool back);
  void put(const Round& round);
  void queue(const Step& step);
  bool play_round(const Scene& scene, std::size_t number, Ends& ends);
  [[nodiscard]] broker::Case ask(const Scene& scene, std::size_t number, const Ends& ends, std::uint32_t mark);
  bool outbound(const Scene& scene, std::size_t number, const channel::OneWay& way, Ends& ends);
  bool inbound(const Scene& scene, const broker::Case& marked, const broker::Case& plain, Ends& ends);
  [[nodiscard]] std::optional<Received> receive(const Scene& scene, Received::How how, const std::vector<channel::Sa>& sas, Ends& ends);
  bool take(const Scene& scene, const channel::OneWay& way, const Finding& finding, const std::string& what);
  void say(const std::string& text) const;

  bool verbose_;
  Marker marker_;
  Host a_, b_;
  Wire wire_;
  Product product_;
  Peer peer_;
  Tally tally_;
  std::vector<PutPolicy> policies_;  // of this case, as they were put
  std::vector<PutSa> sas_;
};

}  // namespace gssipsec::differential
