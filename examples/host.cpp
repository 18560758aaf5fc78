// A host in C++: a simulation with a loop of its own, in which a model learns beside it.
//
//     host_cpp             200 seconds of the simulation and what the model learned
//     host_cpp --small     as the tests run it
//
// A pendulum hangs from a motor. The world moves it 60 times a second; the model sees where it was and what the motor
// did, and learns where it will be. The loop stays the host's:
//
// - every frame trains for as long as the frame has to spare, by gt_train_for, and no longer;
// - every frame is a scope, so that nothing piles up;
// - what the model owns is freed by C++: a gt_Layer in a unique_ptr.
//
// The figure is the error of predictions one frame ahead in another simulation, with pushes that the model never saw, as
// a fraction of the error of saying "as before".
#include <gradtape.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

// Handles that C++ frees.
struct Free {
    void operator()(gt_Layer *layer) const
    {
        gt_layer_free(layer);
    }
    void operator()(gt_Dataset *dataset) const
    {
        gt_dataset_free(dataset);
    }
};
using Layer = std::unique_ptr<gt_Layer, Free>;
using Dataset = std::unique_ptr<gt_Dataset, Free>;

// What is made while it lives is gone with it, also when an exception passes.
class Scope
{
    gt_Scope *scope = gt_scope_begin();

  public:
    Scope() = default;
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;
    ~Scope()
    {
        gt_scope_end(scope);
    }
};

// Errors stay pending until somebody asks; here they become exceptions.
static void check()
{
    if (gt_status() != GT_OK)
        throw std::runtime_error(gt_error_message());
}

// ---- the world ----

constexpr double frame = 1.0 / 60;

struct Pendulum {
    double angle = 0, speed = 0;

    // Small steps of Euler's method, implicit in the angle: this is what the model does not know.
    void move(double torque)
    {
        constexpr int steps = 20;
        for (int i = 0; i < steps; i++) {
            speed += frame / steps * (torque - 9.81 * std::sin(angle) - 0.2 * speed);
            angle += frame / steps * speed;
        }
    }
};

// What is recorded of a frame: what the model sees, and the change of speed in units of a radian per second.
struct Recording {
    std::vector<float> seen, change;

    void add(const Pendulum &before, double torque, const Pendulum &after)
    {
        for (double value : {std::sin(before.angle), std::cos(before.angle), before.speed, torque})
            seen.push_back(static_cast<float>(value));
        change.push_back(static_cast<float>(after.speed - before.speed));
    }
    int64_t frames() const
    {
        return static_cast<int64_t>(change.size());
    }
};

// The rows of a recording, copied: the recording goes on. It is whole seconds long, so batches of 60 are all full: one
// of another size would make a plan of its own, in the middle of a frame.
static Dataset rows_of(const Recording &recording)
{
    Scope scope;
    gt_Tensor *x = gt_from_data(recording.seen.data(), gt_shape(recording.frames(), 4), GT_FLOAT32);
    gt_Tensor *y =
        gt_from_data(recording.change.data(), gt_shape(recording.frames(), 1), GT_FLOAT32);
    return Dataset(gt_dataset_from_tensors(x, y, .batch_size = 60));
}

// ---- the model ----

static Layer make_model()
{
    Layer model(gt_Sequential(gt_Dense(32, .activation = gt_tanh),
                              gt_Dense(32, .activation = gt_tanh), gt_Dense(1)));
    gt_compile(model.get(), .optimizer = gt_Adam(0.001), .loss = gt_MeanSquaredError());
    return model;
}

// Its error in a simulation of its own, with other pushes, beside that of saying "as before".
static double error_of(gt_Layer *model)
{
    std::mt19937 random(2);
    std::uniform_real_distribution<double> push(-6, 6);
    Pendulum pendulum;
    Recording unseen;
    double torque = 0, square = 0;
    for (int now = 0; now < 3600; now++) {
        if (now % 15 == 0)
            torque = push(random);
        Pendulum before = pendulum;
        pendulum.move(torque);
        unseen.add(before, torque, pendulum);
        square += unseen.change.back() * unseen.change.back();
    }
    Dataset test = rows_of(unseen);
    return std::sqrt(gt_evaluate(model, test.get()).loss / (square / 3600));
}

// ---- the loop ----

static double simulate(int seconds)
{
    std::mt19937 random(1);
    std::uniform_real_distribution<double> push(-6, 6);
    Layer model = make_model();
    Pendulum pendulum;
    Recording recording;
    Dataset train;
    double torque = 0;
    int64_t batches = 0;

    for (int now = 0; now < seconds * 60; now++) {
        Scope scope;
        if (now % 15 == 0) // the motor makes up its mind four times a second
            torque = push(random);
        Pendulum before = pendulum;
        pendulum.move(torque);
        recording.add(before, torque, pendulum);

        if (now % 60 == 59) { // a second more to learn from
            train = rows_of(recording);
            check();
        }
        // Here a game would draw. What is left of the frame, 2 ms say, is the model's; at most 10 batches, so that
        // the figure depends little on the machine.
        if (train)
            batches += gt_train_for(model.get(), train.get(), 0.002, .steps = 10).steps;
        check();
        if (now % (seconds * 10) == seconds * 10 - 1)
            std::printf("%4d s: %7lld batches, error %.4f\n", (now + 1) / 60,
                        static_cast<long long>(batches), error_of(model.get()));
    }
    // A machine that had no time in any frame still owes the model its lessons.
    const int64_t owed = seconds * 60 - batches;
    if (owed > 0)
        gt_train_for(model.get(), train.get(), 60, .steps = owed);
    double error = error_of(model.get());
    check();
    return error;
}

int main(int count, char **arguments)
{
    bool small = count > 1 && std::strcmp(arguments[1], "--small") == 0;
    int result = 1;
    try {
        const double error = simulate(small ? 60 : 200), most = 0.1;
        std::printf("error as a fraction of the change: %.4f, expected < %g\n", error, most);
        result = error < most ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    gt_context_free(NULL);
    return result;
}
