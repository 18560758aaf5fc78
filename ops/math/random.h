/* Random numbers. A generator is a variable of type int64 and shape (2): {seed, counter}. Every
 * draw is a function of that state and of the element's place alone (Philox4x32-10), so it is the
 * same for any number of threads, and it adds 1 to the counter. State that is saved and restored
 * continues the same stream. Without `.generator` the context's own is used, which starts from
 * gt_set_seed.
 *
 * Two draws from one generator, the context's own too, come in the order in which C evaluates them. In
 * one expression that is the compiler's choice: gt_subtract(gt_normal(s), gt_normal(s)) is 5.77 in one
 * program and -5.77 in the next, because gcc often begins with the last argument and clang with the
 * first. Draw in statements, one after the other, or from two generators. */
#ifndef GT_OPS_RANDOM_H
#define GT_OPS_RANDOM_H

#include "core/keyword.h"
#include "core/variable.h"

GT_BEGIN

/* A generator with that seed, its counter at 0. It is the caller's: gt_variable_free, or it goes
 * with the context. */
#define gt_generator(seed) gt_generator_at(GT_HERE, seed)
GT_API gt_Variable *gt_generator_at(const char *here, uint64_t seed);
/* The context's own generator. */
#define gt_default_generator() gt_default_generator_at(GT_HERE)
GT_API gt_Variable *gt_default_generator_at(const char *here);

/* Floats, evenly from [low, high). The bounds are rounded to the type, low <= high. */
#define gt_uniform_OPTIONS(F, S)                                                                   \
    F(S, double, low, 0, "the lower bound")                                                        \
    F(S, double, high, 1, "the upper bound, not reached but by rounding")                          \
    F(S, gt_DType, dtype, GT_FLOAT32, "float32 or float64")                                        \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_uniform_options, gt_uniform_OPTIONS);
#define gt_uniform(...)                                                                            \
    gt_uniform_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_uniform, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_uniform_at(const char *here, gt_Shape shape,
                                const gt_uniform_options *options);

#define gt_uniform_like_OPTIONS(F, S)                                                              \
    F(S, double, low, 0, "the lower bound")                                                        \
    F(S, double, high, 1, "the upper bound, not reached but by rounding")                          \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_uniform_like_options, gt_uniform_like_OPTIONS);
/* gt_uniform in the shape and dtype of x, whose numbers do not matter: inside a traced function the
 * shape may be another one at each run. */
#define gt_uniform_like(...)                                                                       \
    gt_uniform_like_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                             \
                       GT_KEYWORDS(gt_uniform_like, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_uniform_like_at(const char *here, gt_Tensor *x,
                                     const gt_uniform_like_options *options);

/* Floats from the normal distribution; truncated: those further than 2 stddev from the mean are
 * drawn again, which leaves a standard deviation of 0.8796 stddev. */
#define gt_normal_OPTIONS(F, S)                                                                    \
    F(S, double, mean, 0, "its mean")                                                              \
    F(S, double, stddev, 1, "its standard deviation, >= 0")                                        \
    F(S, bool, truncated, false, "within 2 stddev of the mean only")                               \
    F(S, gt_DType, dtype, GT_FLOAT32, "float32 or float64")                                        \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_normal_options, gt_normal_OPTIONS);
#define gt_normal(...)                                                                             \
    gt_normal_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_normal, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_normal_at(const char *here, gt_Shape shape, const gt_normal_options *options);
#define gt_normal_like_OPTIONS(F, S)                                                               \
    F(S, double, mean, 0, "its mean")                                                              \
    F(S, double, stddev, 1, "its standard deviation, >= 0")                                        \
    F(S, bool, truncated, false, "within 2 stddev of the mean only")                               \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_normal_like_options, gt_normal_like_OPTIONS);
/* gt_normal in the shape and dtype of x, whose numbers do not matter: inside a traced function the
 * shape may be another one at each run. */
#define gt_normal_like(...)                                                                        \
    gt_normal_like_at(GT_HERE, GT_FIRST(__VA_ARGS__),                                              \
                      GT_KEYWORDS(gt_normal_like, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_normal_like_at(const char *here, gt_Tensor *x,
                                    const gt_normal_like_options *options);
/* gt_random_integers(shape, low, high): integers, evenly from [low, high), low < high. */
#define gt_random_integers_OPTIONS(F, S)                                                           \
    F(S, gt_DType, dtype, GT_INT32, "int32, int64 or uint8")                                       \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_random_integers_options, gt_random_integers_OPTIONS);
#define gt_random_integers(...)                                                                    \
    gt_random_integers_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                  \
                          GT_THIRD(__VA_ARGS__),                                                   \
                          GT_KEYWORDS(gt_random_integers, GT_AFTER_3(__VA_ARGS__)))
GT_API gt_Tensor *gt_random_integers_at(const char *here, gt_Shape shape, int64_t low, int64_t high,
                                        const gt_random_integers_options *options);

/* gt_categorical(logits, samples): classes drawn for each row of logits (rows, classes): (rows,
 * samples). Class c comes up with probability softmax(logits)[c]: never where the logit is -inf. A
 * row in which no class is possible, or a logit is NaN or inf, is an error. */
#define gt_categorical_OPTIONS(F, S)                                                               \
    F(S, gt_DType, dtype, GT_INT32, "int32 or int64")                                              \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_categorical_options, gt_categorical_OPTIONS);
#define gt_categorical(...)                                                                        \
    gt_categorical_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                      \
                      GT_KEYWORDS(gt_categorical, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_categorical_at(const char *here, gt_Tensor *logits, int64_t samples,
                                    const gt_categorical_options *options);

/* x in a random order along an axis; every order is equally likely. Its gradient is put back into
 * the order of x. */
#define gt_shuffle_OPTIONS(F, S)                                                                   \
    F(S, int32_t, axis, 0, "what lies along it is moved as a whole")                               \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_shuffle_options, gt_shuffle_OPTIONS);
#define gt_shuffle(...)                                                                            \
    gt_shuffle_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_KEYWORDS(gt_shuffle, GT_AFTER_1(__VA_ARGS__)))
GT_API gt_Tensor *gt_shuffle_at(const char *here, gt_Tensor *x, const gt_shuffle_options *options);
GT_API gt_Tensor *(gt_shuffle)(gt_Tensor *x);

/* gt_dropout(x, rate): each element becomes 0 with probability `rate`, else x / (1 - rate).
 * Rate 1 gives zeros, rate 0 gives x. With `.noise_shape`, elements along its dimensions of 1 fall
 * together; -1 in it means x's dimension. The gradient passes where x did. Remembers no mask: the
 * state that drew it is enough. (gt_Dropout is the layer.) */
#define GT_NO_SHAPE                                                                                \
    {                                                                                              \
        GT_MARK, -1,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define gt_dropout_OPTIONS(F, S)                                                                   \
    F(S, gt_Shape, noise_shape, GT_NO_SHAPE, "what is drawn; broadcasts to x; default: x's shape") \
    F(S, gt_Variable *, generator, NULL, "where the numbers come from; NULL: the context's own")
GT_OPTIONS(gt_dropout_options, gt_dropout_OPTIONS);
#define gt_dropout(...)                                                                            \
    gt_dropout_at(GT_HERE, GT_FIRST(__VA_ARGS__), GT_SECOND(__VA_ARGS__),                          \
                  GT_KEYWORDS(gt_dropout, GT_AFTER_2(__VA_ARGS__)))
GT_API gt_Tensor *gt_dropout_at(const char *here, gt_Tensor *x, double rate,
                                const gt_dropout_options *options);

GT_END

#endif
