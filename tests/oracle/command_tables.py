"""`gradtape train` on the five tables that come with scikit-learn beside scikit-learn's own perceptrons.

    python command_tables.py PATH/TO/gradtape FOLDER_OF_TABLES [SEEDS]

FOLDER has the files of sklearn/datasets/data as they are. Each figure is a mean over seeds, each with its own fifth of the rows
held out: accuracy of classes, R2 of numbers. The second run has 5 % of the cells of x empty. scikit-learn: SimpleImputer(median),
StandardScaler, MLPClassifier or MLPRegressor with their defaults but max_iter=1000.
"""
import csv
import gzip
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
TABLES = ["iris.csv", "wine_data.csv", "breast_cancer.csv", "digits.csv.gz", "diabetes_data_raw.csv.gz"]
LABELS = {"diabetes_data_raw.csv.gz": "diabetes_target.csv.gz"}


def lines(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        return file.read().split("\n")[:-1]


def with_gaps(name, folder, room):
    """A copy where one cell of x in twenty is empty; labels and a first row that counts stay."""
    rng = np.random.default_rng(1)
    text = lines(os.path.join(folder, name))
    comma = "," in text[0]
    head = text[:1] if comma and not name.startswith("digits") else []
    path = os.path.join(room, name.replace(".gz", ""))
    with open(path, "w") as file:
        file.writelines(line + "\n" for line in head)
        for line in text[len(head):]:
            cells = line.split("," if comma else None)
            last = len(cells) - (name not in LABELS)
            gone = rng.random(last) < 0.05
            file.write(",".join("" if k < last and gone[k] else cell for k, cell in enumerate(cells)) + "\n")
    return path


def arrays(path, labels):
    text = lines(path)
    delimiter = "," if "," in text[0] else None
    skip = int(any(cell[:1].isalpha() for cell in text[0].replace("_", "").split(",")[2:3]))  # "150,4,setosa,..."
    rows = [[float(cell) if cell else np.nan for cell in line.split(delimiter)] for line in text[skip:]]
    data = np.array(rows)
    if labels is None:
        return data[:, :-1], data[:, -1].astype(int)
    return data, np.array([float(line) for line in lines(labels)])


def theirs(x, y, seed):
    classes = y.dtype == int
    a, b, c, d = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y if classes else None)
    mlp = (MLPClassifier if classes else MLPRegressor)(max_iter=1000, random_state=seed)
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), mlp).fit(a, c).score(b, d)


def ours(program, path, labels, seed, room):
    arguments = [program, "train", path, "--seed", str(seed), "--quiet", "--output", os.path.join(room, "model")]
    run = subprocess.run(arguments + (["--labels", labels] if labels else []), capture_output=True, text=True, check=True)
    return next(float(line.split()[1]) for line in run.stdout.split("\n") if line.startswith(("accuracy", "R2")))


def main():
    program, folder, seeds = sys.argv[1], sys.argv[2], int((sys.argv + [20])[3])
    print(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}; means over {seeds} seeds, standard errors behind")
    print(f"{'table':24} {'':9} {'gradtape train':>18} {'scikit-learn':>18}")
    with tempfile.TemporaryDirectory() as room:
        for gaps in False, True:
            for name in TABLES:
                path = with_gaps(name, folder, room) if gaps else os.path.join(folder, name)
                labels = os.path.join(folder, LABELS[name]) if name in LABELS else None
                x, y = arrays(path, labels)
                mine = [ours(program, path, labels, seed, room) for seed in range(seeds)]
                other = [theirs(x, y, seed) for seed in range(seeds)]
                figure = ["{:.4f} +- {:.4f}".format(np.mean(f), np.std(f) / np.sqrt(seeds)) for f in (mine, other)]
                print(f"{name:24} {'5 % gaps' if gaps else 'as it is':9} {figure[0]:>18} {figure[1]:>18}", flush=True)


if __name__ == "__main__":
    main()
