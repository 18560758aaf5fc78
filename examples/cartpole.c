/* Balances a pole on a cart: reinforcement learning by PPO (Schulman et al. 2017), with the world in C.
 *
 * The world is CartPole of Barto, Sutton and Anderson (1983) in the form of Gym's CartPole-v1: two actions, a point for
 * each step that the pole stands, 500 at most. One model has two outputs, the scores of the actions and the value of a
 * state. GAMES games are played at once, so that a call of the model is for all of them; acting and learning are two
 * traced functions. The figure is the mean of the points of 100 games that are played without chance, of the worst of five
 * players that learned from different seeds: 500, after 400,000 steps each, which take a few seconds of one core.
 */
#include "example.h"

#include <time.h>

enum {
    GAMES = 16,
    LENGTH = 128,
    SAMPLES = GAMES * LENGTH,
    PASSES = 4,
    BATCH = 256,
    MOST = 500,
    TESTS = 100
};
static const double discount = 0.99, lambda = 0.95;

/* ---- the world ---- */

typedef struct {
    float x, speed, angle, turning;
} Cart;

/* A number from -0.05 to 0.05, by a linear congruential generator (Knuth). */
static float small_number(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (float)((double)(*random >> 11) / (double)(1ull << 53) - 0.5) / 10;
}

static Cart new_cart(uint64_t *random)
{
    Cart cart;
    cart.x = small_number(random);
    cart.speed = small_number(random);
    cart.angle = small_number(random);
    cart.turning = small_number(random);
    return cart;
}

/* A fiftieth of a second with a push to the right or the left. Does the pole still stand? */
static bool move(Cart *cart, bool right)
{
    const double gravity = 9.8, pole = 0.1, mass = 1.1, length = 0.5, step = 0.02;
    double c = cos(cart->angle), s = sin(cart->angle), turning = cart->turning;
    double push = ((right ? 10 : -10) + pole * length * turning * turning * s) / mass;
    double turn = (gravity * s - c * push) / (length * (4.0 / 3 - pole * c * c / mass));
    double force = push - pole * length * turn * c / mass;
    cart->x += (float)(step * cart->speed);
    cart->speed += (float)(step * force);
    cart->angle += (float)(step * turning);
    cart->turning += (float)(step * turn);
    return fabs(cart->x) <= 2.4 && fabs(cart->angle) <= 12 * 3.14159265 / 180;
}

/* ---- the player ---- */

typedef struct {
    gt_Layer *model;
    gt_Optimizer *optimizer;
    gt_Variable *dice;
} Player;

static gt_Layer *new_model(void)
{
    gt_Tensor *state = gt_Input(gt_shape(4)), *p = state, *v = state;
    for (int i = 0; i < 2; i++) {
        p = gt_call(gt_Dense(64, .activation = gt_tanh, .kernel_initializer = gt_Orthogonal()), p);
        v = gt_call(gt_Dense(64, .activation = gt_tanh, .kernel_initializer = gt_Orthogonal()), v);
    }
    p = gt_call(gt_Dense(2, .kernel_initializer = gt_Orthogonal(.gain = 0.01)), p);
    v = gt_call(gt_Dense(1), v);
    return gt_Model(gt_tensors(state), gt_tensors(p, v));
}

/* in: states (games, 4); out: actions that were drawn, the logarithms of all probabilities, values. */
static gt_Status act(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Player *self = context;
    gt_Tensor *scores = gt_call(self->model, in[0], .outputs = gt_outputs(&out[2]));
    out[0] = gt_categorical(scores, 1, .generator = self->dice);
    out[1] = gt_log_softmax(scores);
    return gt_status();
}

/* in: states, actions as rows of 0 and 1, the logarithms of their probabilities when they were chosen, how much better than
 * expected they were, and what came of them; out: the loss. */
static gt_Status learn(void *context, gt_Tensor *const *in, gt_Tensor **out)
{
    Player *self = context;
    gt_Tape *tape = gt_tape_begin();
    gt_Tensor *value,
        *all = gt_log_softmax(gt_call(self->model, in[0], .outputs = gt_outputs(&value)));
    gt_Tensor *ratio = gt_exp(gt_subtract(gt_sum(gt_multiply(all, in[1]), .axis = -1), in[2]));
    gt_Tensor *gain =
        gt_minimum(gt_multiply(ratio, in[3]), gt_multiply(gt_clip(ratio, 0.8, 1.2), in[3]));
    gt_Tensor *error = gt_mean(gt_square(gt_subtract(gt_reshape(value, gt_shape(-1)), in[4])));
    gt_Tensor *doubt = gt_negative(gt_mean(gt_sum(gt_multiply(gt_exp(all), all), .axis = -1)));
    gt_Tensor *loss = gt_subtract(gt_multiply(error, 0.5), gt_mean(gain));
    loss = gt_subtract(loss, gt_multiply(doubt, 0.01));
    gt_minimize(self->optimizer, tape, loss, gt_trainable_variables(self->model));
    out[0] = gt_keep(loss);
    gt_tape_end(tape);
    return gt_status();
}

/* ---- playing ---- */

/* What was seen, by time and game. */
typedef struct {
    Cart state[LENGTH][GAMES];
    float action[LENGTH][GAMES][2], chosen[LENGTH][GAMES], better[LENGTH][GAMES],
        result[LENGTH][GAMES];
    float reward[LENGTH][GAMES], value[LENGTH + 1][GAMES];
    bool over[LENGTH][GAMES];
} Record;

typedef struct {
    Cart cart[GAMES];
    int points[GAMES];
    uint64_t random;
    double mean; /* of the points of games that ended, the recent ones more */
} Table;

/* One step of every game; at time LENGTH only the values are asked for. */
static void play(gt_Function *acting, Table *table, Record *record, int time)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Tensor *out[3] = {NULL};
    gt_function_call(acting, gt_tensors(gt_from_data(table->cart, gt_shape(GAMES, 4), GT_FLOAT32)),
                     out);
    for (int g = 0; g < GAMES && gt_status() == GT_OK; g++) {
        record->value[time][g] = (float)gt_element(out[2], g);
        if (time == LENGTH)
            continue;
        int action = (int)gt_element(out[0], g);
        record->state[time][g] = table->cart[g];
        record->action[time][g][action] = 1;
        record->action[time][g][1 - action] = 0;
        record->chosen[time][g] = (float)gt_element(out[1], 2 * g + action);
        record->reward[time][g] = 1;
        bool stands = move(&table->cart[g], action), end = ++table->points[g] == MOST;
        if (stands && end) /* it would have gone on: about as well as from here */
            record->reward[time][g] += (float)discount * record->value[time][g];
        record->over[time][g] = !stands || end;
        if (record->over[time][g]) {
            table->mean += 0.02 * (table->points[g] - table->mean);
            table->points[g] = 0;
            table->cart[g] = new_cart(&table->random);
        }
    }
    gt_scope_end(scope);
}

/* Advantages by generalized estimation (Schulman et al. 2016), with mean 0 and deviation 1. */
static void look_back(Record *record)
{
    double sum = 0, squares = 0;
    for (int g = 0; g < GAMES; g++) {
        double ahead = 0;
        for (int t = LENGTH - 1; t >= 0; t--) {
            double goes_on = record->over[t][g] ? 0 : discount;
            double surprise =
                record->reward[t][g] + goes_on * record->value[t + 1][g] - record->value[t][g];
            ahead = surprise + goes_on * lambda * ahead;
            record->better[t][g] = (float)ahead;
            record->result[t][g] = (float)(ahead + record->value[t][g]);
            sum += ahead;
            squares += ahead * ahead;
        }
    }
    double mean = sum / SAMPLES, deviation = sqrt(squares / SAMPLES - mean * mean) + 1e-8;
    for (int t = 0; t < LENGTH; t++)
        for (int g = 0; g < GAMES; g++)
            record->better[t][g] = (float)((record->better[t][g] - mean) / deviation);
}

static void train_on(gt_Function *learning, const Record *record)
{
    gt_Scope *scope = gt_scope_begin();
    gt_Shape rows = gt_shape(SAMPLES);
    gt_Tensor *all[] = {gt_from_data(record->state, gt_shape(SAMPLES, 4), GT_FLOAT32),
                        gt_from_data(record->action, gt_shape(SAMPLES, 2), GT_FLOAT32),
                        gt_from_data(record->chosen, rows, GT_FLOAT32),
                        gt_from_data(record->better, rows, GT_FLOAT32),
                        gt_from_data(record->result, rows, GT_FLOAT32)};
    for (int pass = 0; pass < PASSES; pass++) {
        gt_Tensor *order = gt_shuffle(gt_arange(0, SAMPLES, 1, .dtype = GT_INT32)), *loss;
        for (int first = 0; first < SAMPLES; first += BATCH) {
            gt_Tensor *at = gt_slice(order, gt_shape(first), gt_shape(BATCH)), *batch[5];
            for (int i = 0; i < 5; i++)
                batch[i] = gt_take(all[i], at, .axis = 0);
            gt_function_call(learning, gt_tensors(batch[0], batch[1], batch[2], batch[3], batch[4]),
                             &loss);
        }
    }
    gt_scope_end(scope);
}

/* The mean of the points of TESTS games in which the better action is always taken. */
static double test(gt_Layer *model)
{
    Cart cart[TESTS];
    bool stands[TESTS];
    uint64_t random = 99;
    double points = 0;
    for (int i = 0; i < TESTS; i++) {
        cart[i] = new_cart(&random);
        stands[i] = true;
    }
    for (int step = 0; step < MOST && gt_status() == GT_OK; step++) {
        gt_Scope *scope = gt_scope_begin();
        gt_Tensor *scores = gt_call(model, gt_from_data(cart, gt_shape(TESTS, 4), GT_FLOAT32));
        for (int i = 0; scores && i < TESTS; i++) {
            points += stands[i];
            stands[i] = stands[i] &&
                        move(&cart[i], gt_element(scores, 2 * i + 1) > gt_element(scores, 2 * i));
        }
        gt_scope_end(scope);
    }
    return points / TESTS;
}

/* A player of its own luck, and what it can do in the end. */
static double learn_to_play(uint64_t seed, int rounds)
{
    gt_set_seed(seed);
    Player player = {new_model(), gt_Adam(1e-3, .global_clipnorm = 0.5), gt_generator(seed)};
    gt_optimizer_build(player.optimizer, gt_trainable_variables(player.model));
    gt_Function *acting = gt_function(act, &player, .outputs = 3),
                *learning = gt_function(learn, &player);
    static Record record;
    Table table = {.random = seed};
    for (int g = 0; g < GAMES; g++)
        table.cart[g] = new_cart(&table.random);

    for (int round = 1; round <= rounds && gt_status() == GT_OK; round++) {
        gt_optimizer_set_learning_rate(player.optimizer, 1e-3 * (1 - (round - 1.0) / rounds));
        for (int time = 0; time <= LENGTH; time++)
            play(acting, &table, &record, time);
        look_back(&record);
        train_on(learning, &record);
        if (round % (rounds / 5) == 0)
            printf("%6d steps: about %.0f points\n", round * SAMPLES, table.mean);
    }
    double points = test(player.model);
    gt_function_free(acting);
    gt_function_free(learning);
    gt_optimizer_free(player.optimizer);
    gt_layer_free(player.model);
    return points;
}

int main(int count, char **arguments)
{
    Example example = example_begin(count, arguments);
    int seeds = example.small ? 1 : 5, rounds = example.small ? 10 : 200;
    double worst = MOST;
    for (int seed = 1; seed <= seeds && gt_status() == GT_OK; seed++) {
        clock_t began = clock();
        double points = learn_to_play((uint64_t)seed, rounds);
        double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
        printf("seed %d: %.1f points, %.1f processor seconds, %.0f steps a second\n", seed, points,
               seconds, rounds * SAMPLES / seconds);
        worst = points < worst ? points : worst;
    }
    return example_end("points of the worst player, of 500", worst, example.small ? 60 : 475, 500);
}
