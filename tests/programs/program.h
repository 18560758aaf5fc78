/* Random programs over the table of operations: what tests/random_programs makes, runs in several
 * ways, compares, shrinks and prints.
 *
 *   program.c    the program itself: plain data, its numbers
 *   generate.c   a program from a seed, with every step tried as it is added
 *   run.c        one run of a program, in one mode
 *   compare.c    all runs of a program, and whether they agree
 *   shrink.c     a failing program made small
 *   print.c      a program as C code
 *
 * A program is a list of bodies; body 0 is the program itself, the others are functions that it
 * calls. A body is a list of steps. Every step reads and makes values, which have numbers of their own
 * throughout the program. Everything is plain data without pointers, so that a program lives in memory
 * that two processes share and outlasts a crash of the one that runs it. */
#ifndef GT_TESTS_PROGRAMS_PROGRAM_H
#define GT_TESTS_PROGRAMS_PROGRAM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gradtape.h"

enum {
    MAX_STEPS = 240,
    MAX_VALUES = 480,
    MAX_BODIES = 12,
    BODY_STEPS = 120,
    BODY_PARAMETERS = 8,
    BODY_OUTPUTS = 48,
    STEP_INPUTS = 24,
    STEP_OUTPUTS = 8,
    MAX_TAPES = 8,
    MAX_BLOCKS = 16,
    MAX_ARGUMENTS = 16,
    MAX_VARIABLES = 16,
    OPTION_BYTES = 256,
    ROUNDS = 2, /* a program runs so often, on other numbers each time */
    ABSENT = -1, /* as an input: NULL */
    STALE = -2   /* as an input: a handle whose scope ended */
};

typedef enum Origin {
    ORIGIN_NONE,
    ORIGIN_ARGUMENT, /* of body 0; other numbers in every round */
    ORIGIN_VARIABLE, /* made before the first round */
    ORIGIN_CONSTANT, /* made by a step from C numbers */
    ORIGIN_LIVE,     /* made by a step with gt_live */
    ORIGIN_PARAMETER,
    ORIGIN_RESULT
} Origin;

/* How the numbers of a leaf are made. */
typedef enum Pattern {
    PATTERN_RANGE,   /* as the samples of operations want them */
    PATTERN_SPECIAL, /* 0, -0, infinities, not a number, extremes */
    PATTERN_SMALL,   /* whole numbers from -3 to 3 */
    PATTERN_SAME     /* one number */
} Pattern;

typedef struct Value {
    Origin origin;
    gt_DType dtype;
    gt_Shape shape;
    gt_SampleInput like; /* of a leaf */
    uint64_t seed;
    Pattern pattern;
    bool trainable; /* a variable */
    bool wrapped;   /* an argument: the caller's own memory, not aligned */
    /* Bits may differ from eager to traced: it is a gradient that came through control flow. */
    bool loose, loose_itself;
} Value;

typedef enum Kind {
    STEP_NONE,
    STEP_CONSTANT,
    STEP_LIVE,
    STEP_APPLY,     /* an operation of the table */
    STEP_COMPOSITE, /* a call of tests/calls.h */
    STEP_TAPE_BEGIN,
    STEP_TAPE_END, /* keeps its inputs */
    STEP_WATCH,
    STEP_PAUSE,
    STEP_RESUME,
    STEP_GRADIENT, /* inputs: targets, sources, output gradients */
    STEP_SCOPE_BEGIN,
    STEP_SCOPE_END, /* keeps its inputs */
    STEP_CALL
} Kind;

typedef enum Call {
    CALL_DIRECT,
    CALL_FUNCTION,        /* gt_function, where the mode wants it; else direct */
    CALL_RECOMPUTE,
    CALL_PASS_THROUGH,    /* gt_grad_pass_through */
    CALL_JVP,             /* inputs: primals, tangents; outputs: outputs, tangents */
    CALL_HESSIAN_PRODUCT, /* inputs: x, v */
    CALL_COND,            /* inputs: predicate, then the bodies' */
    CALL_WHILE,           /* second body: the condition */
    CALL_FORI,
    CALL_SCAN /* inputs: carries, xs; outputs: carries, ys */
} Call;

typedef struct Step {
    Kind kind;
    int16_t operation; /* of the table, or of the calls */
    int8_t tape;
    Call call;
    int8_t body;
    int8_t inputs, outputs;
    int16_t in[STEP_INPUTS], out[STEP_OUTPUTS];
    int8_t given; /* how many inputs gt_apply is told of, if it is not `inputs` */
    int8_t targets, sources;
    gt_Unconnected unconnected;
    bool persistent, watch_accessed, reverse;
    bool may_fail; /* an error of it is cleared, and the program goes on */
    int64_t n;     /* of a composite or a loop */
    double d;
    _Alignas(16) uint8_t options[OPTION_BYTES];
} Step;

typedef struct Body {
    int16_t step[BODY_STEPS];
    int16_t parameter[BODY_PARAMETERS], output[BODY_OUTPUTS];
    int16_t steps, parameters, outputs;
    int16_t other; /* of a branch or loop: the other branch, or the condition */
} Body;

typedef struct Program {
    uint64_t seed;
    Value value[MAX_VALUES];
    Step step[MAX_STEPS];
    Body body[MAX_BODIES];
    int16_t argument[MAX_ARGUMENTS], variable[MAX_VARIABLES];
    int16_t values, steps, bodies, arguments, variables;
    uint32_t modes; /* those to run, by bit */
    bool whole;     /* every value is needed by an output: a plan leaves out nothing that can fail */
    bool control;   /* has control flow */
    bool recomputes; /* WAITS: gradients through gt_recompute are loose as well */
    bool packed;    /* variables of one type lie in one block */
} Program;

/* ---- program.c ---- */

/* Random numbers for making programs. */
typedef struct Random {
    uint64_t state;
} Random;
uint64_t random_next(Random *random);
int random_below(Random *random, int count); /* 0 for a count of 0 */
bool random_chance(Random *random, double probability);
double random_uniform(Random *random);

int64_t shape_size(gt_Shape shape); /* -1: too many, or no shape */
/* The numbers of a leaf in a round, as doubles. */
void value_numbers(const Value *value, int round, double *numbers);
const gt_Operation *operation_of(const Step *step);
/* A branch or a loop, or made of one. */
bool is_control(const Step *step);
/* Draws from the default generator. */
bool is_random_call(const Step *step);
/* Marks what must be true of a whole program: `whole`, and which values are loose. */
void program_finish(Program *program);
/* Does the step certainly read the numbers of that input? Calls may not. */
bool needs_numbers(const Step *step, int input);
/* Which bodies are called, directly or not. */
void program_reached(const Program *program, bool *reached);
/* A message without the call sites at its start. */
const char *without_site(const char *message);

/* ---- run.c ---- */

typedef enum Watch {
    WATCH_NOTHING,
    WATCH_OUTSIDE, /* a tape around the whole program, as its caller's */
    WATCH_INSIDE   /* a tape in the program, which computes gradients of everything at the end */
} Watch;

typedef struct Mode {
    const char *name;
    int context;
    bool flush;     /* denormals count as zero, as in plans */
    bool traced;    /* the program is a gt_function */
    bool functions; /* its functions are gt_functions */
    bool numerics;  /* gt_check_numerics */
    bool steps;     /* remembers what every step made */
    bool budget;    /* allocations fail */
    Watch watch;
} Mode;

typedef struct Result {
    gt_Spec spec;
    uint64_t hash;
} Result;

typedef struct Round {
    gt_Status status;
    char message[400];
    int step; /* that failed, or -1 */
    int outputs, gradients;
    Result output[BODY_OUTPUTS];
    Result gradient[MAX_ARGUMENTS + MAX_VARIABLES];
    uint64_t variable[MAX_VARIABLES]; /* after the round */
    uint64_t generator;
} Round;

typedef struct Outcome {
    Round round[ROUNDS];
    int rounds;
    uint64_t start[MAX_VARIABLES]; /* the variables before the first round */
    uint64_t step[MAX_STEPS];      /* what the steps made */
    bool strange[MAX_STEPS];       /* infinite or not a number among it */
    bool ran[MAX_STEPS], failed[MAX_STEPS];
    bool careless; /* something worked while an error was pending */
    int64_t handles, records, variables; /* that were lost */
} Outcome;

typedef struct Run Run;

/* A program's run while it is made: steps one by one. */
typedef struct Block {
    bool is_tape;
    gt_Tape *tape;
    gt_Scope *scope;
} Block;
typedef struct BodyOf {
    Run *run;
    int body;
} BodyOf;
struct Run {
    const Program *program;
    const Mode *mode;
    Outcome *outcome;
    int round;
    gt_Tensor *value[MAX_VALUES];
    gt_Function *function[MAX_BODIES];
    gt_Tape *tape[MAX_TAPES];
    Block block[MAX_BLOCKS];
    int blocks;
    int hidden; /* > 0: the steps of this body run more often, or elsewhere, than they are written */
    int step;   /* that failed */
    gt_Tensor *stale;
    double live[MAX_VALUES];
    void *memory[MAX_VALUES], *block_of_variables[8];
    BodyOf bodies[MAX_BODIES];
    gt_Scope *scope[2];
};

/* Prepares the contexts that modes name; false: no memory. */
bool contexts_open(void);
/* Frees them, or those alone that have become large; how many bytes were not given back. */
size_t contexts_close(void);
size_t contexts_renew(void);
enum { CONTEXT_PLAIN, CONTEXT_THREADS, CONTEXT_GUARDED, CONTEXT_BUDGET, CONTEXT_GENERATE, CONTEXTS };
extern const int context_threads[CONTEXTS];

void run_begin(Run *run, const Program *program, const Mode *mode, Outcome *outcome);
void run_end(Run *run);
/* Makes a value that exists before a round: an argument or a variable. */
void run_make_leaf(Run *run, int value);
gt_Status run_step(Run *run, int step);
/* The whole program in that mode. */
void run_program(const Program *program, const Mode *mode, Outcome *outcome);
int calls_count(void);
const char *call_name(int call);
const char *call_text(int call); /* its C code */
bool tensor_is_finite(gt_Tensor *tensor);

/* ---- compare.c ---- */

enum { MODE_EAGER, MODE_FLUSHED, MODE_TRACED, MODE_FUNCTIONS, MODE_THREADS, MODE_TRACED_THREADS,
       MODE_NUMERICS, MODE_WATCHED, MODE_WATCHED_CALL, MODE_GRADIENTS, MODE_TRACED_GRADIENTS,
       MODE_BUDGET, MODE_TRACED_BUDGET, MODE_UNFLUSHED, MODES };
extern const Mode modes[MODES];

/* How many runs of a program differ. */
typedef enum Fault {
    FAULT_NONE,
    FAULT_STATUS, /* an error in one run alone, or another one */
    FAULT_OUTPUT,
    FAULT_STEP,
    FAULT_VARIABLE,
    FAULT_HALF, /* a plan failed and changed a variable */
    FAULT_NUMERICS,
    FAULT_CARELESS, /* something worked while an error was pending */
    FAULT_LOST, /* handles, records, memory */
    FAULT_CRASH,
    FAULT_HANG
} Fault;
typedef struct Finding {
    Fault fault;
    int mode;      /* whose run is wrong */
    int signal;    /* of a crash */
    char text[1400];
} Finding;

/* How often something was done with an operation. */
typedef struct Coverage {
    uint64_t valid, invalid, differentiated, traced;
} Coverage;
enum { MAX_OPERATIONS = 512, MAX_CALLS = 512 };

/* What the process that runs programs tells the one that watches it. */
typedef struct Shared {
    Program program;
    Finding finding;
    Coverage coverage[MAX_OPERATIONS], calls[MAX_CALLS];
    volatile uint64_t programs, steps, runs; /* done so far */
    volatile int mode; /* that runs; -1: the program is being made */
    volatile bool finished;
} Shared;
extern Shared *shared;

/* Runs a program in all of its modes; false: `finding` says what is wrong. */
bool program_agrees(const Program *program, Finding *finding);

/* ---- generate.c ---- */

/* Makes the program of a seed. */
void program_generate(Program *program, uint64_t seed);

/* ---- shrink.c ---- */

/* Makes a failing program as small as it can while `still_fails` says yes. */
void program_shrink(Program *program, bool (*still_fails)(const Program *program), double seconds);

/* ---- print.c ---- */

void program_print(const Program *program, const Finding *finding);

#endif
