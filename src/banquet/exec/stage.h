#pragma once
// The three shapes that a batch meets on its way from an offline store to an online store.

#include <memory>

#include "banquet/base/status.h"
#include "banquet/exec/batch.h"

namespace banquet {

// Hands out batches; safe to call from every worker. A batch without rows object means the end.
class Source {
 public:
  virtual ~Source() = default;
  virtual Result<Batch> Next() = 0;
};

// Maps one batch to one batch. Const: holds no state of its own, so any worker may call it.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual Result<Batch> Apply(Batch batch) const = 0;
};

// Takes everything in. Calls match (NewLocal Consume* Combine)* Finish: each worker has a Local of
// its own, Combine calls may overlap, Finish runs once, alone. After an error nothing more is
// called.
class Sink {
 public:
  class Local {
   public:
    virtual ~Local() = default;
  };
  virtual ~Sink() = default;
  virtual Result<std::unique_ptr<Local>> NewLocal() = 0;
  virtual Status Consume(Local& local, Batch batch) = 0;
  virtual Status Combine(Local& local) = 0;
  virtual Status Finish() = 0;
};

// A sink that must see all rows before it can give any; then the source of the next pipeline. The
// only stage whose state grows with the data.
class Breaker : public Sink {
 public:
  // After Finish, once. The breaker must outlive the source.
  virtual Result<std::unique_ptr<Source>> Output() = 0;
};

}  // namespace banquet
