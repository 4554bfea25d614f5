// SPDX-License-Identifier: MIT
#include "services/replica/figure_board.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace idzone::replica {
namespace {

constexpr char kMagic[8] = {'I', 'D', 'Z', 'F', 'I', 'G', '\0', '\1'};
constexpr off_t kFirstSeat = 512;
constexpr off_t kSeatOctets = 256;
static_assert(sizeof(Figures) <= kSeatOctets);
/// Owner and group, as the replica's lock file: the group is the name server's.
constexpr mode_t kFileMode = 0660;

std::string FileIn(const std::string& directory) {
  return directory + "/figures";
}

off_t SeatAt(unsigned seat) {
  return kFirstSeat + kSeatOctets * static_cast<off_t>(seat);
}

tl::unexpected<Error> Failed(const std::string& what, int code) {
  return Fail(code == ENOENT ? Reason::kNotFound : Reason::kUnavailable, "figures of the name servers", what, std::strerror(code));
}

bool HasMagic(int descriptor) {
  char magic[sizeof kMagic] = {};
  return pread(descriptor, magic, sizeof magic, 0) == sizeof magic && std::memcmp(magic, kMagic, sizeof magic) == 0;
}

struct flock LockOf(unsigned seat) {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = SeatAt(seat);
  lock.l_len = 1;
  return lock;
}

}  // namespace

FigureBoard::~FigureBoard() {
  close(descriptor_);
}

Result<std::unique_ptr<FigureBoard>> FigureBoard::Create(const std::string& directory) {
  const std::string path = FileIn(directory);
  if (const int old = open(path.c_str(), O_RDWR | O_CLOEXEC); old >= 0) {
    std::unique_ptr<FigureBoard> board(new FigureBoard(old));
    if (HasMagic(old)) return board;
  }
  // Whole before it has its name: nobody sees a half of it.
  const std::string fresh = path + ".new";
  const int descriptor = open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return Failed("a file that can be made", errno);
  std::unique_ptr<FigureBoard> board(new FigureBoard(descriptor));
  const bool written = pwrite(descriptor, kMagic, sizeof kMagic, 0) == sizeof kMagic && ftruncate(descriptor, SeatAt(kSeats)) == 0;
  if (!written || std::rename(fresh.c_str(), path.c_str()) != 0) return Failed("a file that can be written", errno);
  return board;
}

Result<std::unique_ptr<FigureBoard>> FigureBoard::TakeSeat(const std::string& directory) {
  const int descriptor = open(FileIn(directory).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return Failed("a file that can be written", errno);
  std::unique_ptr<FigureBoard> board(new FigureBoard(descriptor));
  if (!HasMagic(descriptor)) return Fail(Reason::kSchemaMismatch, "figures of the name servers", "version 1", "another");
  for (unsigned seat = 0; seat < kSeats; ++seat) {
    // A lock of the open file, not of the process: it ends with the descriptor, however many others there are.
    struct flock lock = LockOf(seat);
    if (fcntl(descriptor, F_OFD_SETLK, &lock) != 0) continue;
    board->seat_ = seat;
    if (auto cleared = board->Write({}); !cleared) return tl::unexpected(cleared.error());
    return board;
  }
  return Fail(Reason::kLimitExceeded, "figures of the name servers", std::to_string(kSeats) + " name servers on one replica", "more");
}

Result<void> FigureBoard::Write(const Figures& figures) {
  IDZONE_INVARIANT(seat_ < kSeats, "who writes has a seat");
  if (pwrite(descriptor_, figures.data(), sizeof figures, SeatAt(seat_)) != sizeof figures) return Failed("a write that works", errno);
  return {};
}

Result<std::vector<FigureBoard::Seat>> FigureBoard::Read() const {
  std::vector<Seat> seats;
  for (unsigned number = 0; number < kSeats; ++number) {
    struct flock lock = LockOf(number);
    if (fcntl(descriptor_, F_OFD_GETLK, &lock) != 0) return Failed("a lock that can be asked for", errno);
    if (lock.l_type == F_UNLCK) continue;
    Seat seat{number, {}};
    if (pread(descriptor_, seat.figures.data(), sizeof seat.figures, SeatAt(number)) != sizeof seat.figures)
      return Failed("a whole file", errno);
    if (seat.figures[Index(Figure::kWritten)] != 0) seats.push_back(seat);
  }
  return seats;
}

}  // namespace idzone::replica
