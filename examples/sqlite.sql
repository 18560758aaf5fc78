-- A session with examples/sqlite.c, from the root of the sources; the tests run it.
--
--     sqlite3 -bail -cmd ".load build/examples/gradtape_sqlite" :memory: ".read examples/sqlite.sql"

CREATE TABLE measured(sepal_length REAL, sepal_width REAL, petal_length REAL, petal_width REAL, species INTEGER);
.import --csv --skip 1 examples/data/iris.csv measured
CREATE TABLE iris AS
    SELECT sepal_length, sepal_width, petal_length, petal_width,
           CASE species WHEN 0 THEN 'setosa' WHEN 1 THEN 'versicolor' ELSE 'virginica' END AS species
    FROM measured;

-- Trains. The statement fails where the accuracy on rows held out is not what it has to be.
CREATE TABLE trained(model TEXT, accuracy REAL CHECK (accuracy BETWEEN 0.93 AND 1));
INSERT INTO trained VALUES ('iris', gt_train('iris', 'species'));
SELECT 'accuracy on held-out rows: ' || round(accuracy, 4) FROM trained;

-- Predicts, in an ordinary query: which kinds are taken for which?
.mode column
.headers on
SELECT species, gt_predict('iris', sepal_length, sepal_width, petal_length, petal_width) AS predicted, count(*) AS flowers
FROM iris GROUP BY species, predicted ORDER BY species, flowers DESC;

-- A flower of one's own, and one that was not measured whole.
SELECT gt_predict('iris', 5.0, 3.4, 1.5, 0.2) AS flower, gt_predict('iris', 5.0, NULL, 1.5, 0.2) IS NULL AS unknown;
CREATE TABLE right(rows INTEGER CHECK (rows >= 142));
INSERT INTO right SELECT count(*) FROM iris
    WHERE species = gt_predict('iris', sepal_length, sepal_width, petal_length, petal_width);
