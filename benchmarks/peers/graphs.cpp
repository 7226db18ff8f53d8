// What the comparison needs in C++: hnswlib over the heads of the sketches, and the second look in
// the full latents that all graphs outside of the JVM share. Built by run.sh.

#include <hnswlib/hnswlib.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace {

using Rows = py::array_t<float, py::array::c_style>;
using Numbers = py::array_t<std::int64_t, py::array::c_style>;

// Answers as Faiss gives them: those of query q are ids[limits[q] … limits[q + 1] − 1].
struct Answers {
  std::vector<std::int64_t> limits{0};
  std::vector<std::int64_t> ids;

  void end_query() { limits.push_back(static_cast<std::int64_t>(ids.size())); }

  std::pair<Numbers, Numbers> arrays() const {
    return {Numbers(limits.size(), limits.data()), Numbers(ids.size(), ids.data())};
  }
};

class Hnsw {
 public:
  explicit Hnsw(std::size_t dim) : space_(dim) {}

  void build(const Rows& heads, std::size_t edges, std::size_t beam) {
    const auto count = static_cast<std::size_t>(heads.shape(0));
    graph_ = std::make_unique<Graph>(&space_, count, edges, beam);
    for (std::size_t i = 0; i < count; i++) {
      graph_->addPoint(heads.data(i, 0), i);
    }
  }

  void save(const std::string& path) { graph().saveIndex(path); }

  void load(const std::string& path) { graph_ = std::make_unique<Graph>(&space_, path); }

  // The k nearest of each query, cut at `reach`; one query after the other on this thread.
  std::pair<Numbers, Numbers> search(const Rows& queries, std::size_t k, float reach) {
    graph().setEf(k);
    Answers answers;
    for (py::ssize_t q = 0; q < queries.shape(0); q++) {
      auto nearest = graph().searchKnn(queries.data(q, 0), k);
      for (; !nearest.empty(); nearest.pop()) {
        if (nearest.top().first <= reach * reach) {
          answers.ids.push_back(static_cast<std::int64_t>(nearest.top().second));
        }
      }
      answers.end_query();
    }
    return answers.arrays();
  }

 private:
  using Graph = hnswlib::HierarchicalNSW<float>;

  Graph& graph() {
    if (!graph_) {
      throw std::logic_error("the graph was neither built nor loaded");
    }
    return *graph_;
  }

  hnswlib::L2Space space_;
  std::unique_ptr<Graph> graph_;
};

// The square in float64 of float32 differences; the compiler makes vectors of it.
double distance_squared(const float* a, const float* b, py::ssize_t dim) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (py::ssize_t i = 0; i < dim; i++) {
    const double d = static_cast<double>(a[i]) - b[i];
    sum += d * d;
  }
  return sum;
}

// Keeps those candidates whose full latents are within the radius.
std::pair<Numbers, Numbers> refine(const Rows& latents, const Rows& queries, const Numbers& limits,
                                   const Numbers& ids, double radius) {
  Answers answers;
  for (py::ssize_t q = 0; q < queries.shape(0); q++) {
    for (std::int64_t i = limits.at(q); i < limits.at(q + 1); i++) {
      const std::int64_t id = ids.at(i);
      const double square =
          distance_squared(queries.data(q, 0), latents.data(id, 0), latents.shape(1));
      if (square <= radius * radius) {
        answers.ids.push_back(id);
      }
    }
    answers.end_query();
  }
  return answers.arrays();
}

}  // namespace

PYBIND11_MODULE(graphs, module) {
  py::class_<Hnsw>(module, "Hnsw")
      .def(py::init<std::size_t>())
      .def("build", &Hnsw::build)
      .def("save", &Hnsw::save)
      .def("load", &Hnsw::load)
      .def("search", &Hnsw::search);
  module.def("refine", &refine);
}
