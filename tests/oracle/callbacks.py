"""What Keras's callbacks do with sequences of numbers: numbers for tests/test_callbacks.c.

    python callbacks.py > callbacks.inc        (Keras 3.15.1, TensorFlow backend)
"""
import os
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras  # noqa: E402
import numpy as np  # noqa: E402

EPOCHS = 12
SEQUENCES = [
    [1.0, 0.9, 0.8, 0.85, 0.84, 0.79, 0.8, 0.81, 0.82, 0.83, 0.84, 0.85],
    [0.5, 0.49995, 0.49, 0.495, 0.4899, 0.4895, 0.48945, 0.4894, 0.5, 0.4893, 0.48925, 0.3],
    [2.0, 3.0, 4.0, 5.0, 1.0, 1.5, 1.2, 0.9, 0.95, 0.96, 0.97, 0.2],
    [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0],
]


class Fake:
    """As much of a model as callbacks want."""

    def __init__(self):
        self.stop_training = False
        self.built = True
        self.weights = np.zeros(1)
        self.optimizer = keras.optimizers.SGD(0.5)
        self.saved = []

    def get_weights(self):
        return [self.weights.copy()]

    def set_weights(self, weights):
        self.weights = weights[0].copy()

    def save(self, path, overwrite=True):
        self.saved.append(os.path.basename(path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(os.path.basename(path))


def run(callback, values, name="val_loss", batches=2):
    """Tells of epochs until the training ends; the weight of epoch e is e + 1. Returns model and epochs trained."""
    model = Fake()
    callback.set_model(model)
    callback.set_params({"epochs": len(values)})
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        model.weights[:] = epoch + 1
        callback.on_epoch_begin(epoch)
        for batch in range(batches):
            callback.on_train_batch_end(batch, {"loss": value})
        callback.on_epoch_end(epoch, {"loss": value, name: value})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return model, rates


def early_stopping():
    print("/* sequence, patience, min_delta, baseline (0: none), start, mode, restore; epochs, stopped, best, best epoch, weight */")
    for s, values in enumerate(SEQUENCES):
        for patience, delta, baseline, start, mode, restore in [
            (0, 0, None, 0, "auto", False), (2, 0, None, 0, "auto", True), (3, 0.02, None, 0, "min", True),
            (1, 0, 0.8, 0, "auto", True), (2, 0, None, 4, "auto", False), (2, 0, None, 0, "max", True),
            (5, 0, 0.3, 1, "auto", True)]:
            callback = keras.callbacks.EarlyStopping(
                patience=patience, min_delta=delta, baseline=baseline, start_from_epoch=start, mode=mode,
                restore_best_weights=restore)
            model, rates = run(callback, values)
            print("EARLY(%d, %d, %r, %r, %d, %d, %d, %d, %d, %r, %d, %g)" % (
                s, patience, delta, baseline or 0, start, {"auto": 0, "min": 1, "max": 2}[mode], restore,
                len(rates), callback.stopped_epoch, callback.best, callback.best_epoch, model.weights[0]))


def reduce_lr():
    print("/* sequence, factor, patience, min_delta, cooldown, min_lr, mode; the rate after each epoch */")
    for s, values in enumerate(SEQUENCES):
        for factor, patience, delta, cooldown, least, mode in [
            (0.1, 10, 1e-4, 0, 0, "auto"), (0.5, 2, 1e-4, 0, 0, "auto"), (0.5, 1, 1e-4, 2, 0.05, "auto"),
            (0.25, 0, 0, 1, 0, "min"), (0.5, 2, 1e-4, 0, 0, "max")]:
            callback = keras.callbacks.ReduceLROnPlateau(factor=factor, patience=patience, min_delta=delta,
                                                         cooldown=cooldown, min_lr=least, mode=mode)
            rates = run(callback, values)[1]
            print("REDUCE(%d, %r, %d, %r, %d, %r, %d, %s)" % (
                s, factor, patience, delta, cooldown, least, {"auto": 0, "min": 1, "max": 2}[mode],
                ", ".join("%r" % r for r in rates)))


def model_checkpoint():
    print("/* sequence, best only, frequency, threshold (0: none), mode; the files */")
    with tempfile.TemporaryDirectory() as folder:
        for s, values in enumerate(SEQUENCES):
            for best, freq, threshold, mode in [(False, "epoch", None, "auto"), (True, "epoch", None, "auto"),
                                                (True, "epoch", 0.9, "auto"), (True, "epoch", None, "max"),
                                                (False, 5, None, "auto")]:
                pattern = "m-{epoch:02d}-{batch}-{loss:.3f}.keras" if freq != "epoch" else \
                    "m-{epoch:02d}-{val_loss:.3f}.keras"
                callback = keras.callbacks.ModelCheckpoint(
                    os.path.join(folder, pattern), save_best_only=best, save_freq=freq, mode=mode,
                    initial_value_threshold=threshold)
                print('FILES(%d, %d, %d, %r, %d, "%s")' % (
                    s, best, 0 if freq == "epoch" else freq, threshold or 0, {"auto": 0, "min": 1, "max": 2}[mode],
                    " ".join(run(callback, values)[0].saved)))


class Told(keras.callbacks.Callback):
    """Writes down every hook, and the names of what is logged."""

    def __init__(self):
        super().__init__()
        self.lines = []


for hook in ["train_begin", "train_end", "epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end",
             "test_begin", "test_end", "test_batch_begin", "test_batch_end", "predict_begin", "predict_end",
             "predict_batch_begin", "predict_batch_end"]:
    def on(self, *arguments, hook=hook, **named):
        logs = named.get("logs", arguments[-1] if arguments and isinstance(arguments[-1], dict) else None) or {}
        number = [str(a) for a in arguments if isinstance(a, int)]
        names = sorted(k for k in logs if k != "outputs")
        self.lines.append(" ".join([hook] + number + names))
    setattr(Told, "on_" + hook, on)


def order():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = np.ones((5, 2)), np.ones((5, 1))
    told = Told()
    model.fit(x, y, batch_size=3, epochs=2, validation_data=(x[:2], y[:2]), callbacks=[told], verbose=0)
    model.evaluate(x, y, batch_size=4, callbacks=[told], verbose=0)
    model.predict(x, batch_size=4, callbacks=[told], verbose=0)
    print("/* a hook, the number of epoch or batch, what is logged */")
    for line in told.lines:
        print('TOLD("%s")' % line)


def csv():
    print("/* the file of CSVLogger, without and with validation */")
    with tempfile.TemporaryDirectory() as folder:
        for names in [("loss", "mae"), ("loss", "mae", "val_loss", "val_mae")]:
            path = os.path.join(folder, "log.csv")
            callback = keras.callbacks.CSVLogger(path)
            callback.on_train_begin()
            for epoch in range(2):
                callback.on_epoch_end(epoch, {n: 0.5 * i + epoch / 8 for i, n in enumerate(names)})
            callback.on_train_end()
            with open(path, newline="") as file:
                print('CSV(%d, "%s")' % (len(names), file.read().replace("\r\n", "\\n")))


print("/* Made by callbacks.py with Keras %s. */" % keras.__version__)
print("#ifdef SEQUENCES")
for values in SEQUENCES:
    print("{%s}," % ", ".join("%r" % v for v in values))
print("#endif")
for name, part in [("EARLY", early_stopping), ("REDUCE", reduce_lr), ("FILES", model_checkpoint), ("TOLD", order),
                   ("CSV", csv)]:
    print("#ifdef %s_ROWS" % name)
    part()
    print("#endif")
