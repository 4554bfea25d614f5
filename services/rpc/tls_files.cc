// SPDX-License-Identifier: MIT
#include "services/rpc/tls_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "services/rpc/key_pair.h"

namespace idzone::rpc {
namespace {

constexpr std::chrono::seconds kEvery(1);
/// A chain, a key or a bundle of authorities; more is not a TLS file.
constexpr std::size_t kFileOctetsMax = 1024 * 1024;

Result<Octets> ReadFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  Octets content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream || content.empty() || content.size() > kFileOctetsMax)
    return Fail(Reason::kKeyFileInvalid, file.string(), "a readable PEM file of at most 1 MiB", "none");
  return content;
}

bool WriteAll(int descriptor, OctetsView content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

TlsFiles::Copy::~Copy() {
  if (descriptor >= 0) close(descriptor);
}

Result<void> TlsFiles::Copy::Hold(OctetsView content) {
  const int fresh = memfd_create("idzone-tls", MFD_CLOEXEC);
  bool held = fresh >= 0 && WriteAll(fresh, content);
  if (held && descriptor < 0) {
    descriptor = fresh;
    return {};
  }
  // From one content to the next in one step, whoever opens the path meanwhile.
  held = held && dup3(fresh, descriptor, O_CLOEXEC) >= 0;
  const std::string why = std::strerror(errno);
  if (fresh >= 0) close(fresh);
  if (!held) return Fail(Reason::kInternal, "TLS files", "a copy in memory", why);
  return {};
}

std::filesystem::path TlsFiles::Copy::Path() const {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

Result<std::unique_ptr<TlsFiles>> TlsFiles::Open(TlsFileNames names, std::function<void(const Error&)> refused) {
  std::unique_ptr<TlsFiles> files(new TlsFiles(std::move(names), std::move(refused)));
  if (auto refreshed = files->Refresh(); !refreshed) return tl::unexpected(refreshed.error());
  files->copies_ = {files->certificate_.Path(), files->private_key_.Path(),
                    files->names_.authorities.empty() ? std::filesystem::path() : files->authorities_.Path()};
  files->watcher_ = std::jthread([raw = files.get()](const std::stop_token& stop) { raw->Watch(stop); });
  return files;
}

TlsFiles::~TlsFiles() = default;

Result<TlsFiles::Content> TlsFiles::Read() const {
  Content content;
  for (const auto& [name, place] :
       {std::pair(&names_.certificate, &content.certificate), std::pair(&names_.private_key, &content.private_key),
        std::pair(&names_.authorities, &content.authorities)}) {
    if (name->empty()) continue;
    auto octets = ReadFile(*name);
    if (!octets) return tl::unexpected(octets.error());
    *place = std::move(*octets);
  }
  return content;
}

Result<void> TlsFiles::Refresh() {
  const std::scoped_lock lock(refresh_mutex_);
  auto content = Read();
  if (!content) return tl::unexpected(content.error());
  if (*content == held_) return {};
  if (auto pair = CheckKeyPair({names_.certificate.string(), content->certificate}, {names_.private_key.string(), content->private_key});
      !pair)
    return pair;
  if (!names_.authorities.empty()) {
    if (auto readable = CheckCertificates({names_.authorities.string(), content->authorities}); !readable) return readable;
    if (auto held = authorities_.Hold(content->authorities); !held) return held;
  }
  if (auto held = certificate_.Hold(content->certificate); !held) return held;
  if (auto held = private_key_.Hold(content->private_key); !held) return held;
  held_ = std::move(*content);
  return {};
}

void TlsFiles::Watch(const std::stop_token& stop) {
  std::string told;
  std::unique_lock lock(wake_mutex_);
  while (!stop.stop_requested()) {
    wake_.wait_for(lock, stop, kEvery, [] { return false; });
    if (stop.stop_requested()) return;
    const auto refreshed = Refresh();
    const std::string said = refreshed ? "" : refreshed.error().Detail();
    if (!refreshed && said != told && refused_) refused_(refreshed.error());
    told = said;
  }
}

}  // namespace idzone::rpc
